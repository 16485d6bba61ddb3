-- Check (fail): the run's report is not stored, or more than once.
-- Grain: one row, the run. Parameters: run_id.
select
    max(run_id) as run_id,
    count(*) as copies
from {{ t.load_runs }}
where run_id = {{ bind(run_id) }}
having count(*) <> 1
order by copies
limit 20
