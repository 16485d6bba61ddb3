-- Check (fail): an object is in the ledger more than once for the run, so the run report counts it twice.
-- Grain: one staged object of the run. Parameters: run_id, staged (when its objects were staged).
select
    source_path,
    count(*) as copies
from {{ t.load_ledger }}
where
    run_id = {{ bind(run_id) }}
    and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
group by source_path
having count(*) > 1
order by source_path
limit 20
