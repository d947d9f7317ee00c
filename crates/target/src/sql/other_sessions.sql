select pg_catalog.format('%s of %s from %s', coalesce(nullif(a.application_name, ''), 'a session'),
                         a.usename, coalesce(a.client_addr::text,
                                  case when a.backend_type is null
                                       then 'an address that this role may not see'
                                       else 'the same host' end))
  from pg_catalog.pg_stat_activity a
 -- Of the sessions of other roles, one without pg_read_all_stats sees no more than the name.
 where a.datname = pg_catalog.current_database()
   and coalesce(a.backend_type, 'client backend') = 'client backend' and a.usesysid is not null
   and a.pid <> pg_catalog.pg_backend_pid()
   and coalesce(a.application_name, '') !~ '^converge(/|$)'
 order by 1
 limit 5
