-- Check (fail): differences of more than one comparison are there.
-- Grain: one row, the number of comparisons.
select count(distinct compared_at) as copies
from {{ t.plan_diff }}
having count(distinct compared_at) > 1
order by copies
limit 20
