select c.relname::text,
       k.conname::text,
       pg_catalog.pg_get_expr(k.conbin, k.conrelid, true),
       k.convalidated,
       -- Since version 18; older ones enforce all of them.
       coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::boolean, true)
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_class c on c.oid = k.conrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and k.contype = 'c' and c.relkind in ('r', 'p') and not c.relispartition
 order by c.relname collate "C", k.conname collate "C"
