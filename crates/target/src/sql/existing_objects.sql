select o.kind || ' ' || o.name
  from (
select 'pg_catalog.pg_class'::pg_catalog.regclass as classid, c.oid,
       case c.relkind when 'S' then 'sequence' when 'v' then 'view'
                      when 'm' then 'materialized view' when 'c' then 'type' else 'table' end as kind,
       c.relname::text as name
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
union all
select 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid,
       case t.typtype when 'd' then 'domain' else 'type' end, t.typname::text
  from pg_catalog.pg_type t
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
 where n.nspname = $1 and t.typtype in ('e', 'd', 'r')
union all
select 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid,
       case p.prokind when 'p' then 'procedure' else 'function' end, p.proname::text
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
 where n.nspname = $1
       ) o
 where not exists (select from pg_catalog.pg_depend d
                    where d.classid = o.classid and d.objid = o.oid and d.deptype = 'e')
 order by 1
