select o.kind, o.table_name, o.name, o.definition
  from (
select 'pg_catalog.pg_class'::pg_catalog.regclass as classid, c.oid,
       case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
                      when 'S' then 'sequence' else 'foreign table' end as kind,
       null::text as table_name, c.relname::text as name, null::text as definition
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('v', 'm', 'f', 'S')
   and not (c.relkind = 'S' and exists (
       select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
          and d.deptype in ('a', 'i')))
   and not (c.relkind = 'S' and exists (
       select from pg_catalog.pg_depend d
        where d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = c.oid
          and d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass))
union all
select 'pg_catalog.pg_trigger'::pg_catalog.regclass, t.oid, 'trigger',
       c.relname::text, t.tgname::text,
       pg_catalog.pg_get_triggerdef(t.oid)
       || case t.tgenabled
            when 'O' then ''
            else '; alter table ' || pg_catalog.quote_ident(n.nspname)
                 || '.' || pg_catalog.quote_ident(c.relname)
                 || case t.tgenabled when 'D' then ' disable' when 'R' then ' enable replica'
                                     else ' enable always' end
                 || ' trigger ' || pg_catalog.quote_ident(t.tgname) end
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and not t.tgisinternal and t.tgparentid = 0
union all
select 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid,
       case p.prokind when 'p' then 'procedure' else 'function' end, null,
       p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
       case p.prokind when 'f' then pg_catalog.pg_get_functiondef(p.oid) end
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
 where n.nspname = $1
union all
select 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, 'type', null, t.typname::text, null
  from pg_catalog.pg_type t
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  left join pg_catalog.pg_class c on c.oid = t.typrelid
 where n.nspname = $1 and (t.typtype in ('e', 'd', 'r') or c.relkind = 'c')
   and not exists (
       select from pg_catalog.pg_attribute a
         join pg_catalog.pg_class used on used.oid = a.attrelid
        where a.atttypid in (t.oid, t.typarray) and used.relnamespace = n.oid
          and used.relkind in ('r', 'p'))
       ) o
 where not exists (select from pg_catalog.pg_depend d
                    where d.classid = o.classid and d.objid = o.oid and d.deptype = 'e')
