select * from (
select case c.relkind when 'v' then 'view ' when 'm' then 'materialised view '
            when 'S' then 'sequence rights ' else 'table ' end
         || c.oid::pg_catalog.regclass::text as object,
       pg_catalog.concat_ws(' | ', c.relpersistence, c.relkind, c.relreplident,
         c.relrowsecurity, c.relforcerowsecurity,
         pg_catalog.array_to_string(c.reloptions, ','),
         pg_catalog.pg_get_userbyid(c.relowner), c.relacl::text,
         pg_catalog.obj_description(c.oid, 'pg_class')) as state
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p', 'S', 'v', 'm')
union all
select 'column ' || a.attrelid::pg_catalog.regclass::text || '.' || a.attname,
       pg_catalog.concat_ws(' | ', a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod),
         a.attnotnull, a.attidentity, a.attgenerated, a.attacl::text, a.attcompression,
         pg_catalog.pg_get_expr(d.adbin, d.adrelid),
         pg_catalog.col_description(a.attrelid, a.attnum),
         -- Since version 18 a NOT NULL has a name and a state; older ones have no such rows.
         (select pg_catalog.concat_ws(' ', k.conname, pg_catalog.pg_get_constraintdef(k.oid),
                   pg_catalog.obj_description(k.oid, 'pg_constraint'))
            from pg_catalog.pg_constraint k
           where k.contype = 'n' and k.conrelid = a.attrelid and k.conkey = array[a.attnum]))
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where n.nspname = $1 and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
union all
select 'constraint ' || k.conrelid::pg_catalog.regclass::text || '.' || k.conname,
       pg_catalog.concat_ws(' | ', pg_catalog.pg_get_constraintdef(k.oid), k.convalidated,
         k.condeferrable, k.condeferred, pg_catalog.obj_description(k.oid, 'pg_constraint'),
         -- `alter table t disable trigger all` leaves the constraint, and nobody who enforces it.
         (select 'not enforced' from pg_catalog.pg_trigger t
           where t.tgconstraint = k.oid and t.tgisinternal and t.tgenabled in ('D', 'R')
           limit 1))
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_namespace n on n.oid = k.connamespace
 where (n.nspname = $1 and k.conrelid <> 0 and k.contype <> 'n')
    or (k.contype = 'f' and k.confrelid in (
        select c.oid from pg_catalog.pg_class c
          join pg_catalog.pg_namespace m on m.oid = c.relnamespace where m.nspname = $1))
union all
select 'index ' || i.indexrelid::pg_catalog.regclass::text,
       pg_catalog.concat_ws(' | ', pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid,
         i.indisclustered, i.indisreplident, x.reltablespace, x.reloptions::text,
         (select pg_catalog.string_agg(a.attnum || ' ' || a.attstattarget, ',' order by a.attnum)
            from pg_catalog.pg_attribute a
           where a.attrelid = i.indexrelid and a.attstattarget >= 0),
         pg_catalog.obj_description(i.indexrelid, 'pg_class'))
  from pg_catalog.pg_index i
  join pg_catalog.pg_class x on x.oid = i.indexrelid
  join pg_catalog.pg_class c on c.oid = i.indrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p', 'm')
union all
select 'trigger ' || t.tgrelid::pg_catalog.regclass::text || '.' || t.tgname,
       pg_catalog.concat_ws(' | ', pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled)
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and not t.tgisinternal
union all
select 'sequence definition ' || s.seqrelid::pg_catalog.regclass::text,
       pg_catalog.concat_ws(' | ', pg_catalog.format_type(s.seqtypid, null), s.seqstart,
         s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, s.seqcache)
  from pg_catalog.pg_sequence s
  join pg_catalog.pg_class c on c.oid = s.seqrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1
union all
select 'type ' || pg_catalog.format_type(t.oid, null),
       (select pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ',' order by e.enumsortorder)
          from pg_catalog.pg_enum e where e.enumtypid = t.oid)
  from pg_catalog.pg_type t
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
 where n.nspname = $1 and t.typtype = 'e'
union all
select 'policy ' || p.polrelid::pg_catalog.regclass::text || '.' || p.polname,
       pg_catalog.concat_ws(' | ', p.polcmd, p.polpermissive,
         (select pg_catalog.string_agg(pg_catalog.pg_get_userbyid(r), ',' order by r)
            from pg_catalog.unnest(p.polroles) r),
         pg_catalog.pg_get_expr(p.polqual, p.polrelid),
         pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1
union all
select 'rule ' || r.ev_class::pg_catalog.regclass::text || '.' || r.rulename,
       pg_catalog.concat_ws(' | ', pg_catalog.pg_get_ruledef(r.oid), r.ev_enabled)
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_class c on c.oid = r.ev_class
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p')
) f order by object collate "C"
