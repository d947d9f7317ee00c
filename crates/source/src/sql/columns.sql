select table_schema, table_name, ordinal_position, column_name, column_type, is_nullable,
       column_default, extra, character_set_name, collation_name, generation_expression,
       column_comment, {srid}
  from information_schema.columns
 where table_schema = ?
