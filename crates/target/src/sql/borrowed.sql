-- What the objects of a schema use that is code or a type of somebody else: whose it is may change
-- it, and what it does is done with the rights of whoever reads or writes the tables. An object's
-- own owner, superusers and the owner of the database are nobody else; nor is this role. Functions
-- and types of roles that own no table there are no part of the schema that was made.
with relations as (
select 'pg_catalog.pg_class'::pg_catalog.regclass as classid, c.oid, c.relowner as owner
  from pg_catalog.pg_class c
 where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
), own as (
select classid, oid, owner from relations
union all
select 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, p.proowner
  from pg_catalog.pg_proc p
 where p.pronamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
   and p.proowner in (select owner from relations)
union all
select 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, t.typowner
  from pg_catalog.pg_type t
 where t.typnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
   and t.typowner in (select owner from relations)
), parts as (
select classid, oid, owner from own
union all
select 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid, own.owner
  from pg_catalog.pg_attrdef d join own on own.oid = d.adrelid
 where own.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
union all
select 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, own.owner
  from pg_catalog.pg_constraint k
  join own on (own.classid, own.oid) in (('pg_catalog.pg_class'::pg_catalog.regclass, k.conrelid),
                                         ('pg_catalog.pg_type'::pg_catalog.regclass, k.contypid))
union all
select 'pg_catalog.pg_trigger'::pg_catalog.regclass, t.oid, own.owner
  from pg_catalog.pg_trigger t join own on own.oid = t.tgrelid
 where own.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
union all
select 'pg_catalog.pg_rewrite'::pg_catalog.regclass, r.oid, own.owner
  from pg_catalog.pg_rewrite r join own on own.oid = r.ev_class
 where own.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
union all
select 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid, own.owner
  from pg_catalog.pg_policy p join own on own.oid = p.polrelid
 where own.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
), made as (
select 'pg_catalog.pg_proc'::pg_catalog.regclass as classid, oid, proowner as owner
  from pg_catalog.pg_proc
union all
select 'pg_catalog.pg_operator'::pg_catalog.regclass, oid, oprowner from pg_catalog.pg_operator
union all
select 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typowner from pg_catalog.pg_type
), others as (
-- Parts of a trusted extension belong to a superuser, and are dropped by who owns the extension.
select made.classid, made.oid, coalesce(e.extowner, made.owner) as owner
  from made
  left join pg_catalog.pg_depend d
    on d.classid = made.classid and d.objid = made.oid and d.deptype = 'e'
   and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  left join pg_catalog.pg_extension e on e.oid = d.refobjid
)
select distinct pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid),
       pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0),
       pg_catalog.pg_get_userbyid(others.owner)::text
  from pg_catalog.pg_depend d
  join parts on parts.classid = d.classid and parts.oid = d.objid
  join others on others.classid = d.refclassid and others.oid = d.refobjid
 where others.owner <> parts.owner
   and others.owner not in (
       select oid from pg_catalog.pg_roles where rolsuper or rolname = current_user
        union all
       select datdba from pg_catalog.pg_database where datname = pg_catalog.current_database())
 order by 1, 2
 limit 100
