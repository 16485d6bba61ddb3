-- Since when an alarm has been open that lasts, and of which somebody was notified; NULL when it is not, and when the
-- watch has not seen it for a while: then nobody is notified either.
-- Grain: one row. Parameters: alarm_name, seen_since.
select min(opened_at) as opened_at
from {{ t.alarms }}
where
    name = {{ bind(alarm_name) }}
    and subject = ''
    and closed_at is null
    and told_at <> '{}'
    and last_seen_at >= {{ bind(seen_since) }}
