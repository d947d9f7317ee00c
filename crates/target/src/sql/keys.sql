select c.relname::text,
       ic.relname::text,
       k.position,
       case when i.indisprimary then 'primary' when i.indisexclusion then 'exclusion'
            when i.indisunique then 'unique' else 'index' end,
       a.attname::text,
       pg_catalog.pg_get_indexdef(i.indexrelid, k.position::int, true),
       i.indoption[k.position - 1] & 1 = 1,
       pg_catalog.concat_ws(' ',
         case when i.indcollation[k.position - 1] <> coalesce(a.attcollation,
                   'pg_catalog."default"'::pg_catalog.regcollation)
               and i.indcollation[k.position - 1] <> 0
              then 'collate ' || i.indcollation[k.position - 1]::pg_catalog.regcollation::text end,
         case when not o.opcdefault then o.opcname end,
         case i.indoption[k.position - 1] & 3 when 1 then 'nulls last' when 2 then 'nulls first' end,
         -- What an exclusion constraint compares with.
         (select 'with ' || x.oprname from pg_catalog.pg_operator x
           where r.contype = 'x' and x.oid = r.conexclop[k.position])),
       m.amname::text,
       (select pg_catalog.array_agg(b.attname::text order by p.position)
          from pg_catalog.unnest(i.indkey::int2[]) with ordinality p(attnum, position)
          join pg_catalog.pg_attribute b on b.attrelid = c.oid and b.attnum = p.attnum
         where p.position > i.indnkeyatts),
       pg_catalog.pg_get_expr(i.indpred, i.indrelid, true),
       r.oid is not null,
       coalesce(r.condeferrable, false),
       coalesce(r.condeferred, false),
       -- Since version 15; older ones have no such column.
       coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
       i.indisvalid,
       pg_catalog.obj_description(ic.oid, 'pg_class')
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indrelid
  join pg_catalog.pg_class ic on ic.oid = i.indexrelid
  join pg_catalog.pg_am m on m.oid = ic.relam
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_constraint r
    on r.conindid = i.indexrelid and r.conrelid = i.indrelid and r.contype in ('p', 'u', 'x')
 cross join lateral pg_catalog.unnest(i.indkey::int2[]) with ordinality k(attnum, position)
  join pg_catalog.pg_opclass o on o.oid = i.indclass[k.position - 1]
  left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum and k.attnum > 0
 where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
   and k.position <= i.indnkeyatts
 order by c.relname collate "C", not i.indisprimary, ic.relname collate "C", k.position
