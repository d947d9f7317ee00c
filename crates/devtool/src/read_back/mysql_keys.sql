select table_name, index_name,
       case when index_name = 'PRIMARY' then 'primary' when non_unique = 0 then 'unique' else 'index' end,
       group_concat(concat(column_name, if(collation = 'D', ' DESC', '')) order by seq_in_index separator '|'),
       '', '', '', '', ''
from information_schema.statistics
where table_schema = database()
group by table_name, index_name, non_unique
union all
select k.table_name, k.constraint_name, 'foreign',
       group_concat(k.column_name order by k.ordinal_position separator '|'),
       k.referenced_table_name,
       group_concat(k.referenced_column_name order by k.ordinal_position separator '|'),
       r.delete_rule, r.update_rule, ''
from information_schema.key_column_usage k
join information_schema.referential_constraints r
  on r.constraint_schema = k.constraint_schema
 and r.constraint_name = k.constraint_name
 and r.table_name = k.table_name
where k.table_schema = database() and k.referenced_table_name is not null
group by k.table_name, k.constraint_name, k.referenced_table_name, r.delete_rule, r.update_rule
