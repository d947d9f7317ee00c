-- Where the types of a schema's columns are that PostgreSQL does not bring itself: their operators
-- are found by the search path alone. Enums and arrays have PostgreSQL's own.
select distinct n.nspname
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace place on place.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_type t on t.oid = a.atttypid
  join pg_catalog.pg_type base on base.oid = case t.typtype when 'd' then t.typbasetype else t.oid end
  join pg_catalog.pg_namespace n on n.oid = base.typnamespace
 where place.nspname = $1 and c.relkind in ('r', 'p')
   and base.typtype in ('b', 'r', 'm') and base.typcategory <> 'A' and n.nspname <> 'pg_catalog'
 order by 1
