create table {schema}.run (
    run_id text primary key,
    database text not null,
    target_schema text not null,
    -- Whether the ledger's schema was made by the run and goes with it.
    made_schema boolean not null,
    started timestamptz not null default now(),
    -- Null until everything is loaded and back in its place.
    loaded timestamptz
);
create table {schema}.run_table (
    run_id text not null references {schema}.run,
    table_name text not null,
    -- Table of this schema with the rows that were there before.
    kept_rows_in text,
    primary key (run_id, table_name)
);
create table {schema}.chunk (
    run_id text not null references {schema}.run,
    table_name text not null,
    file text not null,
    blake3 text not null,
    rows bigint not null,
    -- Transaction that loaded it: every row that it wrote has this xmin.
    loaded_by bigint not null,
    primary key (run_id, file)
);
create table {schema}.taken_off (
    run_id text not null references {schema}.run,
    -- In this order they come back.
    number integer not null,
    kind text not null check (kind in ('key', 'index', 'foreign_key', 'trigger')),
    table_name text not null,
    name text not null,
    -- As the server spells it; of a trigger, how it is enabled.
    definition text not null,
    comment text,
    index_name text,
    index_comment text,
    -- Whether it comes back without a look at the rows.
    later boolean not null,
    -- Where rows that violate a key are looked for.
    columns text[],
    referenced_table text,
    referenced_columns text[],
    named_by text[],
    state text not null default 'off' check (state in ('off', 'unvalidated', 'on')),
    primary key (run_id, number)
);
create table {schema}.definition (
    run_id text not null references {schema}.run,
    object text not null,
    before text,
    -- While everything in taken_off is off.
    meanwhile text,
    primary key (run_id, object)
);
create table {schema}.refreshed (
    run_id text not null references {schema}.run,
    number integer not null generated always as identity,
    -- A materialised view, quoted and qualified.
    view text not null,
    primary key (run_id, view)
);
create table {schema}.sequence_before (
    run_id text not null references {schema}.run,
    sequence text not null,
    last_value bigint not null,
    is_called boolean not null,
    primary key (run_id, sequence)
);
