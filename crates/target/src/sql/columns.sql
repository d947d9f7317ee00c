select c.relname::text,
       a.attname::text,
       case when t.typtype = 'd'
            then pg_catalog.format_type(t.typbasetype, t.typtypmod)
            else pg_catalog.format_type(a.atttypid, a.atttypmod) end,
       case when t.typtype = 'd' then pg_catalog.format_type(a.atttypid, a.atttypmod) end,
       a.attnotnull or t.typnotnull,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid),
       a.attgenerated::text,
       a.attidentity::text,
       case when a.attcollation <> t.typcollation
            then a.attcollation::pg_catalog.regcollation::text end,
       pg_catalog.col_description(a.attrelid, a.attnum),
       (select pg_catalog.array_agg(e.enumlabel::text order by e.enumsortorder)
          from pg_catalog.pg_enum e
         where e.enumtypid = case when t.typtype = 'd' then t.typbasetype else t.oid end)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
 order by c.relname collate "C", a.attnum
