select c.relname::text, b.why
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 cross join lateral (
       select 'not_owner' as why
        where not pg_catalog.pg_has_role(c.relowner, 'usage')
       union all
       select 'row_security' where c.relrowsecurity
         and (c.relforcerowsecurity or not pg_catalog.pg_has_role(c.relowner, 'usage'))
       union all
       select 'rule' where exists (
              select from pg_catalog.pg_rewrite r where r.ev_class = c.oid and r.ev_enabled <> 'D')
       union all
       select 'unlogged' where c.relpersistence = 'u') b
 where n.nspname = $1 and c.relname = any ($2) and c.relkind in ('r', 'p')
 order by c.relname collate "C", b.why
