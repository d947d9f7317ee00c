select k.conrelid::pg_catalog.regclass::text,
       k.conname::text,
       pg_catalog.pg_get_constraintdef(k.oid),
       pg_catalog.obj_description(k.oid, 'pg_constraint'),
       k.confrelid::pg_catalog.regclass::text,
       -- Others are found by a search path, which is empty here.
       not exists (
         select from pg_catalog.unnest(k.conpfeqop) o
           join pg_catalog.pg_operator op on op.oid = o
          where op.oprnamespace <> 'pg_catalog'::pg_catalog.regnamespace),
       (select pg_catalog.array_agg(a.attname::text order by o.place)
          from pg_catalog.unnest(k.conkey) with ordinality as o (number, place)
          join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = o.number),
       (select pg_catalog.array_agg(a.attname::text order by o.place)
          from pg_catalog.unnest(k.confkey) with ordinality as o (number, place)
          join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = o.number),
       (select pg_catalog.array_agg(a.attname::text order by o.place)
          from pg_catalog.pg_index i
         cross join pg_catalog.unnest(i.indkey::smallint[]) with ordinality as o (number, place)
          join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = o.number
         where i.indrelid = k.conrelid and i.indisprimary and o.place <= i.indnkeyatts),
       -- Whether it may come back without a look at the rows, to be validated later: a partitioned
       -- table takes none that are not valid.
       k.convalidated and c.relkind = 'r' and f.relkind = 'r'
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_class c on c.oid = k.conrelid
  join pg_catalog.pg_class f on f.oid = k.confrelid
  join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
  join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
 where k.contype = 'f' and k.conparentid = 0
   and ((cn.nspname = $1 and c.relname = any ($2)) or (fn.nspname = $1 and f.relname = any ($2))
     or k.conrelid in (
        select p.relid
          from pg_catalog.pg_class root
          join pg_catalog.pg_namespace rn on rn.oid = root.relnamespace
         cross join lateral pg_catalog.pg_partition_tree(root.oid) p
         where rn.nspname = $1 and root.relname = any ($2)))
 order by c.relname collate "C", k.conname collate "C"
