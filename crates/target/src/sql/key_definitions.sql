-- Indexes of these tables that can be dropped and made again, with the constraint that an index
-- belongs to. What their definitions do not say (a tablespace, statistics targets, storage
-- parameters of a constraint, clustering, replica identity) is a reason to let them be.
select i.indrelid::pg_catalog.regclass::text,
       x.oid::pg_catalog.regclass::text,
       x.relname::text,
       pg_catalog.pg_get_indexdef(x.oid),
       pg_catalog.obj_description(x.oid, 'pg_class'),
       k.conname::text,
       pg_catalog.pg_get_constraintdef(k.oid),
       pg_catalog.obj_description(k.oid, 'pg_constraint'),
       -- The columns of a unique key, where rows can be found by them alone.
       case when i.indisunique and i.indpred is null and i.indexprs is null then
         (select pg_catalog.array_agg(a.attname::text order by o.place)
            from pg_catalog.unnest(i.indkey::smallint[]) with ordinality as o (number, place)
            join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = o.number
           where o.place <= i.indnkeyatts) end,
       (select pg_catalog.array_agg(a.attname::text order by o.place)
          from pg_catalog.pg_index p
         cross join pg_catalog.unnest(p.indkey::smallint[]) with ordinality as o (number, place)
          join pg_catalog.pg_attribute a on a.attrelid = p.indrelid and a.attnum = o.number
         where p.indrelid = c.oid and p.indisprimary and o.place <= p.indnkeyatts)
  from pg_catalog.pg_index i
  join pg_catalog.pg_class x on x.oid = i.indexrelid
  join pg_catalog.pg_class c on c.oid = i.indrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_constraint k
    on k.conindid = x.oid and k.conrelid = c.oid and k.contype in ('p', 'u', 'x')
 where n.nspname = $1 and c.relname = any ($2)
   and c.relkind = 'r' and not c.relispartition
   and i.indisvalid and i.indisready and not i.indisclustered and not i.indisreplident
   and x.relkind = 'i' and x.reltablespace = 0
   and (k.oid is null or x.reloptions is null)
   and not exists (
     select from pg_catalog.pg_attribute a where a.attrelid = x.oid and a.attstattarget >= 0)
   and not exists (
     select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = x.oid
        and d.deptype in ('e', 'x'))
   -- A foreign key would take the other one of two that have the same columns.
   and not (i.indisunique and exists (
     select from pg_catalog.pg_index o
      where o.indrelid = i.indrelid and o.indexrelid <> i.indexrelid and o.indisunique
        and (select pg_catalog.array_agg(n order by n)
               from pg_catalog.unnest((o.indkey::smallint[])[0:o.indnkeyatts - 1]) n)
          = (select pg_catalog.array_agg(n order by n)
               from pg_catalog.unnest((i.indkey::smallint[])[0:i.indnkeyatts - 1]) n)))
 -- Primary keys and unique ones come back first: they find what is wrong.
 order by c.relname collate "C", i.indisprimary desc, i.indisunique desc, x.relname collate "C"
