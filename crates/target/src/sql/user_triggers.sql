select t.tgrelid::pg_catalog.regclass::text, t.tgname::text, t.tgenabled::text
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where not t.tgisinternal and t.tgenabled <> 'D' and t.tgparentid = 0
   and ((n.nspname = $1 and c.relname = any ($2))
     or c.oid in (
        select p.relid
          from pg_catalog.pg_class root
          join pg_catalog.pg_namespace rn on rn.oid = root.relnamespace
         cross join lateral pg_catalog.pg_partition_tree(root.oid) p
         where rn.nspname = $1 and root.relname = any ($2)))
 order by c.relname collate "C", t.tgname collate "C"
