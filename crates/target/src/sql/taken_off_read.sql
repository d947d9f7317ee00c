select number, kind, table_name, name, definition, comment, index_name, index_comment, later,
       columns, referenced_table, referenced_columns, named_by,
       -- Names are compared with the server's own spelling of what they lead to, since statements
       -- are made with them.
       coalesce(pg_catalog.to_regclass(table_name)::text = table_name, false)
         and coalesce(pg_catalog.to_regclass(referenced_table)::text = referenced_table,
                      referenced_table is null)
         -- What is off is not there to be compared.
         and coalesce(index_name = pg_catalog.concat_ws('.',
               (select pg_catalog.quote_ident(n.nspname)
                  from pg_catalog.pg_class c
                  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                 where c.oid = pg_catalog.to_regclass(table_name)),
               pg_catalog.quote_ident((pg_catalog.parse_ident(index_name))[2])),
             kind not in ('key', 'index'))
  from {schema}.taken_off
 where run_id = $1 and kind = any ($2) and state = $3
 order by number
