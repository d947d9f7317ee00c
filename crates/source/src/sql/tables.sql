select table_schema, table_name, engine, table_type
  from information_schema.tables
 where table_schema = ? and table_type in ('BASE TABLE', 'SYSTEM VERSIONED')
