-- Since when an alarm has been open that lasts, and of which somebody was notified; NULL when it is not.
-- Grain: one row. Parameters: alarm_name.
select min(opened_at) as opened_at
from {{ t.alarms }}
where
    name = {{ bind(alarm_name) }}
    and subject = ''
    and closed_at is null
    and told_at <> '{}'
