select c.relname::text,
       ic.relname::text,
       i.indisprimary,
       i.indisunique and i.indpred is null,
       a.attname::text,
       pg_catalog.pg_get_indexdef(i.indexrelid, k.position::int, true)
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indrelid
  join pg_catalog.pg_class ic on ic.oid = i.indexrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 cross join lateral pg_catalog.unnest(i.indkey::int2[]) with ordinality k(attnum, position)
  left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum and k.attnum > 0
 where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
   and k.position <= i.indnkeyatts
 order by c.relname collate "C", not i.indisprimary, ic.relname collate "C", k.position
