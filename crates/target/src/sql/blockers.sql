select c.relname::text, b.why
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 cross join lateral (
       select 'row_security' as why where c.relrowsecurity
         and (c.relforcerowsecurity or not pg_catalog.pg_has_role(c.relowner, 'usage'))
       union all
       select 'rule' where exists (
              select from pg_catalog.pg_rewrite r where r.ev_class = c.oid and r.ev_enabled <> 'D')
       union all
       select 'inheritance' where c.relkind = 'r' and exists (
              select from pg_catalog.pg_inherits i
               where i.inhparent = c.oid or i.inhrelid = c.oid)
       union all
       -- A foreign key whose own triggers are off would come back with them on.
       select 'foreign_key_switched_off' where exists (
              select from pg_catalog.pg_trigger t
               where t.tgrelid = c.oid and t.tgisinternal and t.tgenabled <> 'O')
       union all
       select 'standby' where pg_catalog.pg_is_in_recovery()
       union all
       select 'unlogged' where c.relpersistence = 'u') b
 where n.nspname = $1 and c.relname = any ($2) and c.relkind in ('r', 'p')
 order by c.relname collate "C", b.why
