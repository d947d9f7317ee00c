create table {schema}.baseline (
    target_schema text primary key,
    -- Of the files that were applied.
    blake3 text not null,
    statements bigint not null,
    -- Statements that are applied: all of them, but for a baseline that is applied in batches.
    statements_done bigint not null,
    started timestamptz not null default now(),
    applied timestamptz,
    tool_version text not null
);
