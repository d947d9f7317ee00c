-- What this transaction has made, changed, written or dropped beside two schemas, temporary things
-- and extensions: relations by the locks on them, all else by its row. A foreign key's lock on the
-- table that it refers to does no harm.
select pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0)
  from pg_catalog.pg_locks l
  join pg_catalog.pg_class c on c.oid = l.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation'
   and l.database = (select oid from pg_catalog.pg_database
                      where datname = pg_catalog.current_database())
   and l.mode not in ('AccessShareLock', 'RowShareLock', 'ShareRowExclusiveLock')
   and n.nspname <> all ($1::text[] || '{pg_catalog,pg_toast}') and n.nspname !~ '^pg_(toast_)?temp_'
   and not exists (select from pg_catalog.pg_depend d
                    where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      and d.objid = c.oid and d.deptype = 'e')
union
select 'a table or index that is dropped'
  from pg_catalog.pg_locks l
 where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation'
   and l.relation = any ($2::oid[])
   and not exists (select from pg_catalog.pg_class c where c.oid = l.relation)
union
select pg_catalog.pg_describe_object(o.classid, o.oid, 0)
  from (
select 'pg_catalog.pg_proc'::pg_catalog.regclass as classid, oid, pronamespace as place, xmin
  from pg_catalog.pg_proc
union all
select 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typnamespace, xmin
  from pg_catalog.pg_type where typtype in ('e', 'd', 'r')
union all
select 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, oid, xmin from pg_catalog.pg_namespace
       ) o
  join pg_catalog.pg_namespace n on n.oid = o.place
 where o.xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid
   and n.nspname <> all ($1::text[]) and n.nspname !~ '^pg_(toast_)?temp_'
   and not exists (select from pg_catalog.pg_depend d
                    where d.classid = o.classid and d.objid = o.oid and d.deptype = 'e')
 order by 1
 limit 10
