-- When the newest event was received; NULL when there is none in a week. Those of the future do not count.
-- Grain: one row. Parameters: now.
select max(received_at) as newest_received_at
from {{ t.events }}
where received_at between {{ bind(now) }} - interval '7' day and {{ bind(now) }}
