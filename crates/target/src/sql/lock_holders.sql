select pg_catalog.format('%s%s from %s, process %s', a.application_name,
                         -- Any login can take the lock; only those of this role are runs.
                         case when a.usename <> current_user
                              then ' of role ' || pg_catalog.quote_ident(a.usename) end,
                         coalesce(a.client_addr::text,
                                  case when a.backend_type is null
                                       then 'an address that this role may not see'
                                       else 'the same host' end), a.pid),
       -- Another role can call its session anything.
       case when a.usename = current_user then coalesce(a.application_name, '') else '' end,
       a.pid
  from pg_catalog.pg_locks l
  join pg_catalog.pg_stat_activity a on a.pid = l.pid
 where l.locktype = 'advisory' and l.granted and l.pid <> pg_catalog.pg_backend_pid()
   and l.database = (select oid from pg_catalog.pg_database
                      where datname = pg_catalog.current_database())
   and (l.classid::bigint << 32) | l.objid::bigint = $1
 order by a.application_name collate "C"
