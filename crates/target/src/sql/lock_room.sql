-- Locks that the rollback of a load holds at its end, which are more than those of the load: it
-- locks each table with its indexes, truncates it with its TOAST table and the index of that, and
-- drops each foreign key with its four triggers (measured: five locks for a foreign key). And the
-- locks for which the server has room, without what it keeps in reserve (PostgreSQL manual, "Lock
-- Management"; MaxBackends in its source). $1 schema, $2 its tables that are loaded, $3 those of
-- them whose rows may be replaced: rows that are there are kept in a table of their own.
with loaded as (
select p.relid as oid
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 cross join lateral (
       select c.oid as relid
       union
       select t.relid::pg_catalog.oid from pg_catalog.pg_partition_tree(c.oid) t
        where c.relkind = 'p') p
 where n.nspname = $1 and c.relname = any ($2) and c.relkind in ('r', 'p')
), setting as (
select pg_catalog.current_setting(name, true)::bigint as value, name
  from pg_catalog.unnest(array['max_connections', 'max_prepared_transactions',
         'max_worker_processes', 'max_wal_senders',
         -- Since version 18, which has it instead of the other.
         case when pg_catalog.current_setting('autovacuum_worker_slots', true) is null
              then 'autovacuum_max_workers' else 'autovacuum_worker_slots' end]) name
)
select (select count(*) from loaded),
       (select count(*) from pg_catalog.pg_index i where i.indrelid in (select oid from loaded)),
       (select count(*) from pg_catalog.pg_class c
         where c.oid in (select oid from loaded) and c.reltoastrelid <> 0),
       (select count(*) from pg_catalog.pg_constraint k
         where k.contype = 'f'
           and (k.conrelid in (select oid from loaded) or k.confrelid in (select oid from loaded))),
       pg_catalog.current_setting('max_locks_per_transaction')::bigint,
       (select sum(value)::bigint + 1 from setting),
       (select count(*)
          from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = $1 and c.relname = any ($3)
           and pg_catalog.pg_relation_size(c.oid) > 0)
