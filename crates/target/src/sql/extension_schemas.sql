select distinct n.nspname
  from pg_catalog.pg_extension e
  join pg_catalog.pg_namespace n on n.oid = e.extnamespace
 where n.nspname not in ('pg_catalog', $1)
 order by 1
