-- Who besides the owner has privileges on the ledger's schema (no table) and on its tables; no
-- role is everybody.
select distinct null::text, r.rolname::text
  from pg_catalog.pg_namespace n
 cross join lateral pg_catalog.aclexplode(n.nspacl) a
  left join pg_catalog.pg_roles r on r.oid = a.grantee
 where n.nspname = $1 and a.grantee <> n.nspowner
union all
select distinct c.relname::text, r.rolname::text
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 cross join lateral pg_catalog.aclexplode(c.relacl) a
  left join pg_catalog.pg_roles r on r.oid = a.grantee
 where n.nspname = $1 and c.relkind = 'r' and a.grantee <> c.relowner
