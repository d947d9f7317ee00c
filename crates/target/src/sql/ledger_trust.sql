-- The tables of the ledger's schema, and what about it another role has made or can change; no row
-- if there is no such schema. One statement, and so one moment: a role that renames a schema of its
-- own between two questions would be trusted for the first and read by the second.
with ledger as (
  select n.oid, n.nspname, n.nspowner, n.nspacl
    from pg_catalog.pg_namespace n where n.nspname = $1
), relation as (
  select c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity
    from pg_catalog.pg_class c join ledger l on l.oid = c.relnamespace
   where c.relkind in ('r', 'v', 'm', 'f', 'p')
), known (name, columns) as (
  values ('run', array['run_id', 'database', 'target_schema', 'made_schema', 'started', 'loaded']),
         ('run_table', array['run_id', 'table_name', 'kept_rows_in']),
         ('chunk', array['run_id', 'table_name', 'file', 'blake3', 'rows', 'loaded_by']),
         ('taken_off', array['run_id', 'number', 'kind', 'table_name', 'name', 'definition',
            'comment', 'index_name', 'index_comment', 'later', 'columns', 'referenced_table',
            'referenced_columns', 'named_by', 'state']),
         ('definition', array['run_id', 'object', 'before', 'meanwhile']),
         ('refreshed', array['run_id', 'number', 'view']),
         ('sequence_before', array['run_id', 'sequence', 'last_value', 'is_called']),
         ('baseline', array['target_schema', 'blake3', 'statements', 'statements_done', 'started',
            'applied', 'tool_version'])
), privilege (kind) as (
  values ('CREATE'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('REFERENCES'), ('TRIGGER'),
         ('MAINTAIN')
), trusted (oid) as (
  -- Superusers can do everything anyway.
  select r.oid from pg_catalog.pg_roles r where r.rolname = current_user or r.rolsuper
), reason (text, is_other_version) as (
select 'the schema belongs to role ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(l.nspowner))
         || ', and this role is ' || pg_catalog.quote_ident(current_user),
       false
  from ledger l where l.nspowner not in (select oid from trusted)
union all
select coalesce(pg_catalog.quote_ident(r.rolname), 'everybody') || ' has the privilege '
         || pg_catalog.lower(a.privilege_type) || ' on it', false
  from ledger l
 cross join lateral pg_catalog.aclexplode(l.nspacl) a
  left join pg_catalog.pg_roles r on r.oid = a.grantee
 where a.grantee not in (select oid from trusted)
   and a.privilege_type in (select kind from privilege)
union all
select 'its ' || case t.relkind when 'r' then 'table ' else 'object ' end
         || pg_catalog.quote_ident(t.relname) || ' belongs to role '
         || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(t.relowner)), false
  from relation t where t.relowner not in (select oid from trusted)
union all
select coalesce(pg_catalog.quote_ident(r.rolname), 'everybody') || ' has the privilege '
         || pg_catalog.lower(a.privilege_type) || ' on its table '
         || pg_catalog.quote_ident(t.relname), false
  from relation t
 cross join lateral (
   select * from pg_catalog.aclexplode(t.relacl)
   union all
   select x.* from pg_catalog.pg_attribute c
    cross join lateral pg_catalog.aclexplode(c.attacl) x where c.attrelid = t.oid) a
  left join pg_catalog.pg_roles r on r.oid = a.grantee
 where a.grantee not in (select oid from trusted)
   and a.privilege_type in (select kind from privilege)
union all
select 'its table ' || pg_catalog.quote_ident(t.relname) || ' has the trigger '
         || pg_catalog.quote_ident(g.tgname), false
  from relation t join pg_catalog.pg_trigger g on g.tgrelid = t.oid where not g.tgisinternal
union all
select 'its table ' || pg_catalog.quote_ident(t.relname) || ' has the rule '
         || pg_catalog.quote_ident(w.rulename), false
  from relation t join pg_catalog.pg_rewrite w on w.ev_class = t.oid where t.relkind = 'r'
union all
select 'its table ' || pg_catalog.quote_ident(t.relname) || ' has row level security', false
  from relation t
 where t.relrowsecurity
    or exists (select from pg_catalog.pg_policy p where p.polrelid = t.oid)
union all
select 'its table ' || pg_catalog.quote_ident(t.relname) || ' shares rows with another', false
  from relation t
 where exists (select from pg_catalog.pg_inherits i where t.oid in (i.inhparent, i.inhrelid))
union all
select 'its ' || pg_catalog.quote_ident(t.relname) || ' is not the table of that name that this '
         || 'version of the tool makes', true
  from relation t join known k on k.name = t.relname
 where t.relkind <> 'r'
    or k.columns <> (
       select pg_catalog.array_agg(a.attname::text order by a.attnum)
         from pg_catalog.pg_attribute a
        where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped)
    -- A type of another schema may bring casts, which are code.
    or exists (
       select from pg_catalog.pg_attribute a
         join pg_catalog.pg_type y on y.oid = a.atttypid
        where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
          and y.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace)
)
select (select coalesce(pg_catalog.array_agg(t.relname::text), '{}')
          from relation t where t.relkind = 'r'),
       (select coalesce(pg_catalog.array_agg(
                  -- Whose schema it is says most.
                  r.text order by r.text not like 'the schema%', r.text collate "C"), '{}')
          from reason r),
       (select coalesce(pg_catalog.bool_and(r.is_other_version), false) from reason r)
  from ledger
