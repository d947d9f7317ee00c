insert into {schema}.baseline
       (target_schema, blake3, statements, statements_done, applied, tool_version)
values ($1, $2, $3::bigint, $4::bigint,
        case when $4::bigint = $3::bigint then pg_catalog.clock_timestamp() end, $5)
    on conflict (target_schema) do update
   set statements_done = excluded.statements_done,
       applied = excluded.applied,
       tool_version = excluded.tool_version
