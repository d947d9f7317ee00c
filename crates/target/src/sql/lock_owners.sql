select distinct pg_catalog.format('%s of %s from %s, process %s',
         coalesce(nullif(a.application_name, ''), 'a session'), a.usename,
         coalesce(a.client_addr::text,
                                  case when a.backend_type is null
                                       then 'an address that this role may not see'
                                       else 'the same host' end), a.pid)
  from pg_catalog.pg_locks l
  join pg_catalog.pg_class c on c.oid = l.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_stat_activity a on a.pid = l.pid
 where l.locktype = 'relation' and l.granted and n.nspname = $1
   and l.database = (select oid from pg_catalog.pg_database
                      where datname = pg_catalog.current_database())
   and l.pid <> pg_catalog.pg_backend_pid()
   and coalesce(a.application_name, '') not like 'converge/%'
 order by 1
 limit 3
