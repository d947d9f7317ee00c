with recursive found as (
  select -1 as place, {column} as label from (select 1 as one) as one left join {table} on false
   union all
  select numbers.place, numbers.value
    from found join ({numbers}) as numbers
   where found.place = -1
)
select place, convert(label using utf8mb4) from found where place >= 0
