select c.relname, a.attname,
       pg_catalog.row_number() over (partition by c.oid order by a.attnum),
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       case when a.attnotnull then 'NO' else 'YES' end,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid),
       case
         when s.name is not null then 'sequence ' || s.name
         when t.typtype = 'e' then 'enum type'
         else ''
       end,
       '',
       pg_catalog.col_description(c.oid, a.attnum)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
cross join lateral (
  select pg_catalog.pg_get_serial_sequence(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), a.attname) as name
) s
where n.nspname = 'public' and c.relkind in ('r', 'p')
order by c.relname, a.attnum
