-- Sequences of identity columns, and those that a column's default takes its numbers from.
with taken (attrelid, attnum, seqrelid) as (
select p.refobjid, p.refobjsubid, p.objid
  from pg_catalog.pg_depend p
 where p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
   and p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
   and p.deptype = 'i' and p.refobjsubid > 0
union
select d.adrelid, d.adnum, p.refobjid
  from pg_catalog.pg_depend p
  join pg_catalog.pg_attrdef d on d.oid = p.objid
 where p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
   and p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
select c.relname::text,
       a.attname::text,
       s.seqrelid::pg_catalog.regclass::text,
       pg_catalog.format_type(s.seqtypid, null),
       s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle,
       exists (select from pg_catalog.pg_depend o
                where o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  and o.objid = s.seqrelid
                  and o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  and o.refobjid = a.attrelid and o.refobjsubid = a.attnum
                  and o.deptype in ('a', 'i'))
  from taken
  join pg_catalog.pg_sequence s on s.seqrelid = taken.seqrelid
  join pg_catalog.pg_attribute a on a.attrelid = taken.attrelid and a.attnum = taken.attnum
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
 order by c.relname collate "C", a.attnum, s.seqrelid
