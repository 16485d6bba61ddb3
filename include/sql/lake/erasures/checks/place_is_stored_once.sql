-- Check (fail): what a run of erase_person did in a place is stored more than once.
-- Grain: one place of one run. Parameters: none.
select
    run_id,
    place as name,
    count(*) as copies
from {{ t.erasures }}
group by run_id, place
having count(*) > 1
order by run_id, name
limit 20
