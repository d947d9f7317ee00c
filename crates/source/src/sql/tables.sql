select table_schema, table_name, engine, table_type, table_collation, auto_increment,
       table_comment
  from information_schema.tables
 where table_schema = ? and table_type in ('BASE TABLE', 'SYSTEM VERSIONED')
