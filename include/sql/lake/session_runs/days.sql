-- On which days the events of some loads were received, as JSON: seconds since 1970.
-- Grain: one row. Parameters: changes.
select json_format(cast(array_agg(distinct to_unixtime(date_trunc('day', received_at))) as json)) as days
from {{ t.events }}
where
    received_at between {{ bind(changes.received.start) }} and {{ bind(changes.received.end) }}
    and (load_run_id in ({{ bind_each(changes.run_ids) }}) or update_run_id in ({{ bind_each(changes.run_ids) }}))
