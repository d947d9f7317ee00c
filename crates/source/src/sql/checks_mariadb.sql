select constraint_schema, table_name, constraint_name, check_clause, 'YES', level
  from information_schema.check_constraints
 where constraint_schema = ?
