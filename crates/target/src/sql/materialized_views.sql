-- Through views and other materialised ones; the longest way decides the order.
with recursive reader (oid, depth) as (
  select c.oid, 0
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = any ($2)
   union
  select r.ev_class, t.depth + 1
    from reader t
    join pg_catalog.pg_depend d
      on d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = t.oid
     and d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    join pg_catalog.pg_rewrite r on r.oid = d.objid and r.ev_class <> t.oid
)
select t.oid::pg_catalog.regclass::text
  from reader t
  join pg_catalog.pg_class c on c.oid = t.oid
 where c.relkind = 'm' and c.relispopulated
 group by t.oid
 order by max(t.depth), 1
