select c.relname::text,
       pg_catalog.pg_get_partkeydef(c.oid),
       pg_catalog.obj_description(c.oid, 'pg_class')
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
