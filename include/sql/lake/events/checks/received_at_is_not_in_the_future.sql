-- Check (warn): the run loaded a message that was received more than a day from now, so some clock is wrong.
-- Such a row is in a partition that nobody looks at yet, and no load of today compares it for duplicates.
-- Grain: one row of events. Parameters: run_id, now.
select
    message_id,
    received_at,
    source_path
from {{ t.events }}
where
    load_run_id = {{ bind(run_id) }}
    and received_at > {{ bind(now) }} + interval '1' day
order by received_at desc, message_id asc
limit 20
