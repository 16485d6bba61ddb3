-- Which lines of one batch the steps of its load left out. Grain: one step. Parameters: run_id.
select
    item.step,
    count(*) as line_count,
    min(coalesce(batch.message_id, 'a line of ' || batch.source_path)) as first_line,
    min(item.reason) as reason
from {{ t.batch(run_id) }} as batch
cross join unnest(batch.left_out) as item (step, reason)
group by item.step
order by item.step
