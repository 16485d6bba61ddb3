-- In which hours the messages of one batch were received, as JSON: seconds since 1970.
-- Grain: one row. Parameters: run_id.
select json_format(cast(array_agg(distinct to_unixtime(date_trunc('hour', received_at))) as json)) as hours
from {{ t.batch(run_id) }}
where reject_reason is null
