-- Which part of `events` this batch can touch: what it holds, widened by the look-back for duplicates.
-- Grain: one row; both NULL for a batch without events. Parameters: run_id, lookback_days.
select
    min(received_at) - interval '1' day * {{ bind(lookback_days) }} as earliest,
    max(received_at) + interval '1' day * {{ bind(lookback_days) }} as latest
from {{ t.batch(run_id) }}
where reject_reason is null
