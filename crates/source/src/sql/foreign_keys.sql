-- Which columns there are, and by a row of its own what the key does: a join of the two views
-- takes a second.
select table_schema, table_name, constraint_name, ordinal_position, column_name,
       if(cast(referenced_table_schema as binary) = cast(table_schema as binary),
          null, referenced_table_schema),
       referenced_table_name, referenced_column_name, null, null
  from information_schema.key_column_usage
 where table_schema = ? and referenced_table_name is not null
 union all
select constraint_schema, table_name, constraint_name, 0, null, null, null, null,
       cast(delete_rule as char), cast(update_rule as char)
  from information_schema.referential_constraints
 where constraint_schema = ?
