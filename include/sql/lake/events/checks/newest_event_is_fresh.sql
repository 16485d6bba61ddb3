-- Check (warn): the newest event was received more than 6 hours ago, although a load has just run.
-- A week is read at most; NULL means nothing in that week. Rows from the future would hide a stop: not counted.
-- Grain: one row, the newest event. Parameters: now.
select max(received_at) as newest_received_at
from {{ t.events }}
where received_at between {{ bind(now) }} - interval '7' day and {{ bind(now) }}
having coalesce(max(received_at) < {{ bind(now) }} - interval '6' hour, true)
order by newest_received_at
limit 20
