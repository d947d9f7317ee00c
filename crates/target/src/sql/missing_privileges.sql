-- Privileges that the role lacks, each with the statement that grants them. $1 schema, $2 its
-- tables that are loaded, $3 its tables that are only read, $4 those whose rows may be replaced,
-- $5 the ledger's schema, $6 whether temporary tables are made, $7 whether things are made in $1.
with role as (
select pg_catalog.quote_ident(current_user) as name, current_database()::text as database,
       pg_catalog.quote_ident(pg_catalog.current_database()) as quoted_database
), loaded as (
select c.oid, c.relowner
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = any ($2) and c.relkind in ('r', 'p')
), referring as (
-- Foreign keys that point in are dropped and recreated, which takes their table's owner.
select child.oid, child.relowner, child.relnamespace
  from pg_catalog.pg_constraint k
  join loaded on loaded.oid = k.confrelid
  join pg_catalog.pg_class child on child.oid = k.conrelid
 where k.contype = 'f' and k.conparentid = 0
), numbering as (
-- Sequences of identity columns, of serial ones, and those that a default names.
select s.oid, s.relowner
  from pg_catalog.pg_depend d
  join loaded on loaded.oid = d.refobjid
  join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
 where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
   and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
union
select s.oid, s.relowner
  from pg_catalog.pg_attrdef a
  join loaded on loaded.oid = a.adrelid
  join pg_catalog.pg_depend d
    on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and d.objid = a.oid
   and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  join pg_catalog.pg_class s on s.oid = d.refobjid and s.relkind = 'S'
), ledger as (
select c.oid, c.relowner, c.relname
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $5 and c.relkind = 'r'
), owned as (
select oid, relowner from loaded
union
select oid, relowner from referring
union
select oid, relowner from numbering
union
-- A baseline's entry outlives the runs, and is only read by them; other tables are not ours.
select oid, relowner from ledger
 where relname in ('run', 'run_table', 'chunk', 'taken_off', 'definition', 'refreshed',
                   'sequence_before') or relname ~ '^kept_[0-9]+$'
), functions as (
-- Functions that defaults, checks and indexes call for every row.
select distinct f.oid
  from pg_catalog.pg_depend d
  join pg_catalog.pg_proc f
    on d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and f.oid = d.refobjid
 where (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and d.objid in (
          select a.oid from pg_catalog.pg_attrdef a join loaded on loaded.oid = a.adrelid))
    or (d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and d.objid in (
          select k.oid from pg_catalog.pg_constraint k join loaded on loaded.oid = k.conrelid))
    or (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid in (
          select i.indexrelid from pg_catalog.pg_index i join loaded on loaded.oid = i.indrelid))
), schemas as (
select n.oid, n.nspname,
       case when n.nspname = $1 and $7 then '{usage,create}'
            when n.nspname = $5 then '{usage,create}'
            else '{usage}' end::text[] as wanted
  from pg_catalog.pg_namespace n
 where n.nspname in ($1, $5) or n.oid in (select relnamespace from referring)
)
select place, what, objects, statement, is_doubtful from (
select 1 as place,
       'ownership (by ' || pg_catalog.pg_get_userbyid(o.relowner) || ')' as what,
       pg_catalog.array_agg(o.oid::pg_catalog.regclass::text
                            order by o.oid::pg_catalog.regclass::text collate "C") as objects,
       -- Membership of a superuser would make one of the role.
       case when a.rolsuper then
         pg_catalog.string_agg('alter ' || case when c.relkind = 'S' then 'sequence ' else 'table ' end
           || o.oid::pg_catalog.regclass::text || ' owner to ' || role.name, '; '
           order by o.oid::pg_catalog.regclass::text collate "C")
         -- A sequence that belongs to a column changes hands with its table.
         filter (where c.relkind <> 'S' or not exists (
                 select from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    and d.objid = c.oid and d.deptype in ('a', 'i')))
       else
       'grant ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.relowner)) || ' to '
         || role.name
         -- A member that does not inherit has none of its owner's privileges.
         || case when pg_catalog.pg_has_role(o.relowner, 'member')
                 then case when pg_catalog.current_setting('server_version_num')::int >= 160000
                           then ' with inherit true'
                           else '; alter role ' || role.name || ' inherit' end
                 else '' end end as statement,
       -- Whoever may create tables could have put one beside those of their owner.
       not a.rolsuper
         and o.relowner not in (
             select d.datdba from pg_catalog.pg_database d
              where d.datname = pg_catalog.current_database()
              union all
             select n.nspowner from pg_catalog.pg_namespace n where n.nspname = $1)
         and (select count(distinct l.relowner) from loaded l) > 1 as is_doubtful
  from owned o
 cross join role
  join pg_catalog.pg_class c on c.oid = o.oid
  join pg_catalog.pg_roles a on a.oid = o.relowner
 where not pg_catalog.pg_has_role(o.relowner, 'usage')
 group by o.relowner, role.name, a.rolsuper
union all
select 2, pg_catalog.array_to_string(p.missing, ', ') || ' on schema', array[s.nspname::text],
       'grant ' || pg_catalog.array_to_string(p.missing, ', ') || ' on schema '
         || pg_catalog.quote_ident(s.nspname) || ' to ' || role.name, false
  from schemas s cross join role
 cross join lateral (
       select pg_catalog.array_agg(w order by w desc) as missing
         from pg_catalog.unnest(s.wanted) w
        where not pg_catalog.has_schema_privilege(s.oid, w)) p
 where p.missing is not null
union all
select 3, 'create of the missing schema', array[$1::text],
       'create schema ' || pg_catalog.quote_ident($1) || ' authorization ' || role.name, false
  from role
 where $7 and not exists (select from pg_catalog.pg_namespace where nspname = $1)
union all
-- An owner may have revoked his own privileges.
select 4, pg_catalog.array_to_string(p.missing, ', ') || ' on',
       array[t.oid::pg_catalog.regclass::text],
       'grant ' || pg_catalog.array_to_string(p.missing, ', ') || ' on '
         || t.oid::pg_catalog.regclass::text || ' to ' || role.name, false
  from (select oid, relowner, '{select,insert,truncate}'::text[] as wanted from loaded
        union all
        select c.oid, null, '{select}'
          from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = $1 and c.relname = any ($3) and c.relkind in ('r', 'p')
        union all
        select oid, null, '{select}' from ledger where relname = 'baseline') t
 cross join role
 cross join lateral (
       select pg_catalog.array_agg(w order by place) as missing
         from pg_catalog.unnest(t.wanted) with ordinality as w (w, place)
        where not pg_catalog.has_table_privilege(t.oid, w)) p
 where p.missing is not null
   -- Its owner is asked for above, and brings these.
   and (t.relowner is null or pg_catalog.pg_has_role(t.relowner, 'usage'))
union all
select 5, 'usage on type', array[t.oid::pg_catalog.regtype::text],
       'grant usage on type ' || t.oid::pg_catalog.regtype::text || ' to ' || role.name, false
  from pg_catalog.pg_type t cross join role
 where t.oid in (
         select a.atttypid
           from pg_catalog.pg_attribute a
           join pg_catalog.pg_class c on c.oid = a.attrelid
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where n.nspname = $1 and c.relname = any ($4) and a.attnum > 0 and not a.attisdropped)
   and not pg_catalog.has_type_privilege(t.oid, 'usage')
union all
select 6, 'execute on function', array[f.oid::pg_catalog.regprocedure::text],
       'grant execute on function ' || f.oid::pg_catalog.regprocedure::text || ' to ' || role.name,
       false
  from functions f cross join role
 where not pg_catalog.has_function_privilege(f.oid, 'execute')
union all
select 7, 'create on database', array[role.database],
       'grant create on database ' || role.quoted_database || ' to ' || role.name, false
  from role
 where not exists (select from pg_catalog.pg_namespace where nspname = $5)
   and not pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create')
union all
select 8, 'temporary on database', array[role.database],
       'grant temporary on database ' || role.quoted_database || ' to ' || role.name, false
  from role
 where $6 and not pg_catalog.has_database_privilege(pg_catalog.current_database(), 'temporary')
) missing
 order by place, what collate "C", objects
