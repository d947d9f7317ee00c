-- Limits of connections that apply to this role here, with the sessions of others that count.
with me as (
select r.oid, r.rolname, r.rolsuper, r.rolconnlimit
  from pg_catalog.pg_roles r
 where r.rolname = session_user
), sessions as (
-- Others' kinds are hidden from those who may not see all statistics. A session of this tool that
-- belongs to no run is about to end.
select a.usesysid, a.datid
  from pg_catalog.pg_stat_activity a
 where a.datid is not null and coalesce(a.backend_type, 'client backend') = 'client backend'
   and a.pid <> pg_catalog.pg_backend_pid() and a.application_name is distinct from 'converge'
)
select name, connections, used from (
select 1 as place, 'connection limit of role ' || pg_catalog.quote_ident(me.rolname) as name,
       me.rolconnlimit::bigint as connections,
       (select count(*) from sessions s where s.usesysid = me.oid) as used
  from me where not me.rolsuper and me.rolconnlimit >= 0
union all
select 2, 'connection limit of database ' || pg_catalog.quote_ident(d.datname),
       d.datconnlimit, (select count(*) from sessions s where s.datid = d.oid)
  from pg_catalog.pg_database d cross join me
 where d.datname = pg_catalog.current_database() and not me.rolsuper and d.datconnlimit >= 0
union all
select 3, 'max_connections without reserved ones',
       pg_catalog.current_setting('max_connections')::bigint
         - case when me.rolsuper then 0
                else pg_catalog.current_setting('superuser_reserved_connections')::bigint
                     -- Since version 16.
                     + coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::bigint
           end,
       (select count(*) from sessions)
  from me) limits
 order by connections - used, place
