select table_schema, table_name, index_name, seq_in_index, non_unique, column_name, sub_part,
       {expression}, collation, index_type, {visible}, index_comment
  from information_schema.statistics
 where table_schema = ?
