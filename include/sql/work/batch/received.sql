-- When the messages of one batch were received, and of how many objects it has lines.
-- Grain: one row; both times NULL for a batch without events. Parameters: run_id.
select
    min(received_at) filter (where reject_reason is null) as earliest,
    max(received_at) filter (where reject_reason is null) as latest,
    count(distinct source_path) as objects_read
from {{ t.batch(run_id) }}
