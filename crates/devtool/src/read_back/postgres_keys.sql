with actions (code, name) as (
  values ('a'::"char", 'NO ACTION'), ('r', 'RESTRICT'), ('c', 'CASCADE'), ('n', 'SET NULL'), ('d', 'SET DEFAULT')
)
select c.relname, k.conname,
       case k.contype when 'p' then 'primary' when 'u' then 'unique' when 'f' then 'foreign' else 'check' end,
       (select pg_catalog.string_agg(a.attname, '|' order by p.position)
        from pg_catalog.unnest(k.conkey) with ordinality p (number, position)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = p.number),
       r.relname,
       (select pg_catalog.string_agg(a.attname, '|' order by p.position)
        from pg_catalog.unnest(k.confkey) with ordinality p (number, position)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = p.number),
       (select name from actions where code = k.confdeltype),
       (select name from actions where code = k.confupdtype),
       case k.contype when 'u' then 'constraint' when 'c' then pg_catalog.pg_get_constraintdef(k.oid) else '' end
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_class r on r.oid = k.confrelid
where n.nspname = 'public' and k.contype in ('p', 'u', 'f', 'c')
union all
select c.relname, i.relname,
       case when x.indisunique then 'unique' else 'index' end,
       (select pg_catalog.string_agg(pg_catalog.pg_get_indexdef(x.indexrelid, position, true), '|' order by position)
        from pg_catalog.generate_series(1, x.indnkeyatts) position),
       '', '', '', '',
       pg_catalog.concat_ws(' ', case when x.indisunique then 'unique index' end, pg_catalog.pg_get_expr(x.indpred, x.indrelid))
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_class c on c.oid = x.indrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public'
  and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x'))
