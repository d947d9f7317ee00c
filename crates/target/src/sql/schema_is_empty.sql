select not exists (
       select from pg_catalog.pg_depend d
        where d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.refobjid = n.oid)
  from pg_catalog.pg_namespace n
 where n.nspname = $1
