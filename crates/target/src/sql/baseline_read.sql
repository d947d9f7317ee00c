select blake3, statements, statements_done, tool_version,
       pg_catalog.to_char(started at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
       pg_catalog.to_char(applied at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
  from {schema}.baseline
 where target_schema = $1
