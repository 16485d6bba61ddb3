-- Check (warn): more than 1 % of the lines that the run read were rejected, without those of erased people.
-- Grain: one row, the run. Parameters: run_id, staged (when its objects were staged).
select
    run_id,
    sum(rows_read) as rows_read,
    sum(rows_rejected - coalesce(element_at(rejected_by_reason, 'suppressed'), 0)) as rows_rejected
from {{ t.load_ledger }}
where
    run_id = {{ bind(run_id) }}
    and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
group by run_id
having sum(rows_rejected - coalesce(element_at(rejected_by_reason, 'suppressed'), 0)) * 100 > sum(rows_read)
order by run_id
limit 20
