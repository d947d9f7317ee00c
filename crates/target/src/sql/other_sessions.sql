select pg_catalog.format('%s of %s from %s', coalesce(nullif(a.application_name, ''), 'a session'),
                         a.usename, coalesce(a.client_addr::text, 'the same host'))
  from pg_catalog.pg_stat_activity a
 where a.datname = pg_catalog.current_database() and a.backend_type = 'client backend'
   and a.pid <> pg_catalog.pg_backend_pid()
   and coalesce(a.application_name, '') !~ '^converge(/|$)'
 order by 1
 limit 5
