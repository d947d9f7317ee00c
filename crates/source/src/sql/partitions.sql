select distinct table_schema, table_name, partition_method, partition_expression,
       subpartition_method, subpartition_expression
  from information_schema.partitions
 where table_schema = ? and partition_method is not null
