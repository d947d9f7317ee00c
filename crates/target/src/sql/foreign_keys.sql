select c.relname::text,
       k.conname::text,
       (select pg_catalog.array_agg(a.attname::text order by p.position)
          from pg_catalog.unnest(k.conkey) with ordinality p(attnum, position)
          join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = p.attnum),
       nullif(fn.nspname, n.nspname)::text,
       f.relname::text,
       (select pg_catalog.array_agg(a.attname::text order by p.position)
          from pg_catalog.unnest(k.confkey) with ordinality p(attnum, position)
          join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = p.attnum),
       k.confdeltype::text,
       k.confupdtype::text,
       k.condeferrable,
       k.condeferred,
       k.convalidated,
       -- Since version 18; older ones enforce all of them.
       coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::boolean, true),
       k.confmatchtype = 'f',
       -- Since version 15.
       (select pg_catalog.array_agg(a.attname::text order by p.position)
          from pg_catalog.jsonb_array_elements_text(
                 nullif(pg_catalog.to_jsonb(k) -> 'confdelsetcols', 'null')
               ) with ordinality p(attnum, position)
          join pg_catalog.pg_attribute a
            on a.attrelid = k.conrelid and a.attnum = p.attnum::int2)
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_class c on c.oid = k.conrelid
  join pg_catalog.pg_class f on f.oid = k.confrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
 where n.nspname = $1 and k.contype = 'f' and k.conparentid = 0
 order by c.relname collate "C", k.conname collate "C"
