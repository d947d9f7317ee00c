create table {schema}.run (
    run_id text primary key,
    database text not null,
    target_schema text not null,
    -- Transaction that loaded the rows: every row that it wrote has this xmin.
    loaded_by bigint not null,
    -- Whether the ledger's schema was made by the run and goes with it.
    made_schema boolean not null,
    started timestamptz not null default now(),
    loaded timestamptz
);
create table {schema}.loaded_table (
    run_id text not null references {schema}.run,
    table_name text not null,
    rows bigint not null,
    digest text not null,
    -- Table of this schema with the rows that were there before.
    kept_rows_in text,
    primary key (run_id, table_name)
);
create table {schema}.sequence_before (
    run_id text not null references {schema}.run,
    sequence text not null,
    last_value bigint not null,
    is_called boolean not null,
    primary key (run_id, sequence)
);
