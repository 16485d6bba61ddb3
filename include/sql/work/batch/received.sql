-- When the messages of one batch were received, of how many objects it has lines, how many lines were rejected, and of
-- how many a value was discarded.
-- Grain: one row; both times NULL for a batch without events. Parameters: run_id.
select
    min(received_at) filter (where reject_reason is null) as earliest,
    max(received_at) filter (where reject_reason is null) as latest,
    count(distinct source_path) as objects_read,
    count_if(reject_reason is not null) as rejected,
    count_if(cardinality(discarded) > 0) as discarding
from {{ t.batch(run_id) }}
