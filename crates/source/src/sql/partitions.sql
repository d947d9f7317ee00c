select distinct table_schema, table_name, cast(partition_method as char), partition_expression,
       cast(subpartition_method as char), subpartition_expression
  from information_schema.partitions
 where table_schema = ? and partition_method is not null
