select c.relname::pg_catalog.text, a.attname::pg_catalog.text
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_collation k on k.oid = a.attcollation
 where n.nspname = $1 and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
   and not k.collisdeterministic
