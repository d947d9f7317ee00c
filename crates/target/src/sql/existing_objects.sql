select case c.relkind when 'S' then 'sequence ' when 'v' then 'view '
                      when 'm' then 'materialized view ' else 'table ' end || c.relname
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
   and not exists (select from pg_catalog.pg_depend d
                    where d.objid = c.oid and d.deptype = 'e')
union all
select 'type ' || t.typname
  from pg_catalog.pg_type t
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
 where n.nspname = $1 and t.typtype = 'e'
   and not exists (select from pg_catalog.pg_depend d
                    where d.objid = t.oid and d.deptype = 'e')
 order by 1
