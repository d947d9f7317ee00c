select table_schema, table_name, ordinal_position, column_name, column_type, is_nullable,
       column_default, extra, collation_name, generation_expression
  from information_schema.columns
 where table_schema = ?
