select k.table_schema, k.table_name, k.constraint_name, k.ordinal_position, k.column_name,
       k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule
  from information_schema.key_column_usage k
  join information_schema.referential_constraints r
    on r.constraint_schema = k.constraint_schema
   and r.constraint_name = k.constraint_name
   and cast(r.table_name as binary) = cast(k.table_name as binary)
 where k.table_schema = ? and k.referenced_table_name is not null
