select table_name, column_name, ordinal_position, column_type, is_nullable, column_default,
       extra, collation_name, column_comment
from information_schema.columns
where table_schema = database()
order by table_name, ordinal_position
