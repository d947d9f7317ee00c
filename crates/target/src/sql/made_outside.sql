-- Everything that this transaction has made or changed, but for the scratch schema, what belongs
-- to extensions, and the tables for long values.
select pg_catalog.pg_describe_object(o.classid, o.oid, 0)
  from (
select 'pg_catalog.pg_class'::pg_catalog.regclass as classid, oid, relnamespace as place, xmin
  from pg_catalog.pg_class where relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I')
union all
select 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, pronamespace, xmin from pg_catalog.pg_proc
union all
select 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typnamespace, xmin
  from pg_catalog.pg_type where typtype in ('e', 'd', 'r')
union all
select 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, oid, xmin from pg_catalog.pg_namespace
       ) o
  join pg_catalog.pg_namespace n on n.oid = o.place
 where o.xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid
   and n.nspname not in ($1, 'pg_toast')
   and not exists (select from pg_catalog.pg_depend d
                    where d.classid = o.classid and d.objid = o.oid and d.deptype = 'e')
 order by 1
 limit 10
