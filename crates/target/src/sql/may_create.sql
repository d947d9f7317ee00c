-- Other roles that may create objects in the database (schemas) and in these schemas, without
-- superusers and roles that this one belongs to. No role means PUBLIC.
with place (what, owner, acl) as (
  select 'the database', d.datdba, coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))
    from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
  union all
  select 'schema ' || pg_catalog.quote_ident(n.nspname), n.nspowner,
         coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))
    from pg_catalog.pg_namespace n where n.nspname = any ($1)
)
select p.what,
       pg_catalog.array_agg(distinct coalesce(pg_catalog.quote_ident(r.rolname), 'everybody')
                            order by coalesce(pg_catalog.quote_ident(r.rolname), 'everybody'))
  from place p
 cross join lateral pg_catalog.aclexplode(p.acl) a
  left join pg_catalog.pg_roles r on r.oid = a.grantee
 where a.privilege_type = 'CREATE'
   and not coalesce(r.rolsuper, false)
   -- A superuser has every role, and still is not the same.
   and (r.oid is null
     or (r.rolname <> current_user
       and (not pg_catalog.pg_has_role(r.oid, 'usage')
         or (select m.rolsuper from pg_catalog.pg_roles m where m.rolname = current_user))))
   -- The owners of the tables that are loaded are trusted with them.
   and a.grantee <> p.owner
 group by p.what order by p.what
