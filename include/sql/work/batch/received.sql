-- When the messages of one batch were received.
-- Grain: one row; both NULL for a batch without events. Parameters: run_id.
select
    min(received_at) as earliest,
    max(received_at) as latest
from {{ t.batch(run_id) }}
where reject_reason is null
