-- Functions, operators and types of others in these schemas that have the name of one whose owner
-- is trusted: a superuser, the owner of the database, or this role.
with trusted as (
select oid from pg_catalog.pg_roles where rolsuper or rolname = current_user
union all
select datdba from pg_catalog.pg_database where datname = pg_catalog.current_database()
), made as (
select 'pg_catalog.pg_proc'::pg_catalog.regclass as classid, oid, 'function' as kind,
       proname::text as name, pronamespace as place, proowner as owner
  from pg_catalog.pg_proc
union all
select 'pg_catalog.pg_operator'::pg_catalog.regclass, oid, 'operator', oprname::text, oprnamespace,
       oprowner
  from pg_catalog.pg_operator
union all
-- PostgreSQL's own types are always found first.
select 'pg_catalog.pg_type'::pg_catalog.regclass, oid, 'type', typname::text, typnamespace, typowner
  from pg_catalog.pg_type
 where typcategory <> 'A' and typnamespace <> 'pg_catalog'::pg_catalog.regnamespace
), named as (
-- Parts of a trusted extension belong to a superuser, and are dropped by who owns the extension.
select made.classid, made.oid, made.kind, made.name, made.place,
       coalesce(e.extowner, made.owner) as owner
  from made
  left join pg_catalog.pg_depend d
    on d.classid = made.classid and d.objid = made.oid and d.deptype = 'e'
   and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  left join pg_catalog.pg_extension e on e.oid = d.refobjid
)
select named.kind, named.name,
       pg_catalog.pg_describe_object(named.classid, named.oid, 0)
       || ' of role ' || pg_catalog.pg_get_userbyid(named.owner)::text
  from named
  join pg_catalog.pg_namespace n on n.oid = named.place
 where n.nspname = any ($1)
   and named.owner not in (select oid from trusted)
   and exists (select from named other
                where other.kind = named.kind and other.name = named.name
                  and other.owner in (select oid from trusted))
 order by 1, 2, 3
