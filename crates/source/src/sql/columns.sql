select c.table_name, t.engine, c.column_name, c.column_type, c.is_nullable, c.column_default,
       c.extra, c.collation_name, c.generation_expression
  from information_schema.tables t
  join information_schema.columns c
    on c.table_schema = t.table_schema and c.table_name = t.table_name
 where t.table_schema = ? and t.table_type in ('BASE TABLE', 'SYSTEM VERSIONED')
 order by c.table_name, c.ordinal_position
