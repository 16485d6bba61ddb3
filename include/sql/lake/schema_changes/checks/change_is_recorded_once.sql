-- Check (fail): a key was recorded more than once with the same type.
-- Grain: one path and type.
select
    path,
    json_type,
    count(*) as copies
from {{ t.schema_changes }}
group by path, json_type
having count(*) > 1
order by path, json_type
limit 20
