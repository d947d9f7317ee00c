select pg_catalog.current_database(), current_user::text, n.oid is not null,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'create')
                and pg_catalog.has_schema_privilege(n.oid, 'usage'), false)
  from (select) one
  left join pg_catalog.pg_namespace n on n.nspname = $1
