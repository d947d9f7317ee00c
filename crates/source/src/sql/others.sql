select table_schema, cast(table_type as char), null, table_name
  from information_schema.tables
 where table_schema = ? and table_type in ('VIEW', 'SEQUENCE')
 union all
select trigger_schema, 'TRIGGER', event_object_table, trigger_name
  from information_schema.triggers
 where trigger_schema = ?
 union all
select routine_schema, cast(routine_type as char), null, routine_name
  from information_schema.routines
 where routine_schema = ?
 union all
select event_schema, 'EVENT', null, event_name
  from information_schema.events
 where event_schema = ?
