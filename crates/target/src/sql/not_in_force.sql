-- Constraints that were not looked at or are switched off, broken indexes, triggers that are off,
-- tables that do not outlive a crash; of the tables and of all that they have as partitions.
with recursive wanted as (
  select c.oid, c.relpersistence
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = any ($2)
   union
  select c.oid, c.relpersistence
    from wanted w
    join pg_catalog.pg_inherits i on i.inhparent = w.oid
    join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition
)
select f.kind, f.object, f.what
  from (
select 'constraint' as kind, k.conrelid::pg_catalog.regclass::text || '.' || k.conname as object,
       case when k.convalidated then 'not enforced' else 'not validated' end as what
  from pg_catalog.pg_constraint k
  join wanted w on w.oid = k.conrelid
 where not k.convalidated
    or exists (select from pg_catalog.pg_trigger t
                where t.tgconstraint = k.oid and t.tgisinternal and t.tgenabled in ('D', 'R'))
union all
select 'index', i.indexrelid::pg_catalog.regclass::text, 'not valid'
  from pg_catalog.pg_index i
  join wanted w on w.oid = i.indrelid
 where not (i.indisvalid and i.indisready and i.indislive)
union all
select 'trigger', t.tgrelid::pg_catalog.regclass::text || '.' || t.tgname, 'disabled'
  from pg_catalog.pg_trigger t
  join wanted w on w.oid = t.tgrelid
 where t.tgenabled = 'D' and not t.tgisinternal
union all
select 'table', w.oid::pg_catalog.regclass::text, 'unlogged'
  from wanted w
 where w.relpersistence = 'u'
       ) f
 order by f.kind collate "C", f.object collate "C"
