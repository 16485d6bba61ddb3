-- Which part of `events` one run touched, widened by the look-back for duplicates.
-- From the ledger, so that it can still be told when the batch is gone.
-- Grain: one row; both NULL for a run without events. Parameters: run_id, lookback_days.
select
    min(first_received_at) - interval '1' day * {{ bind(lookback_days) }} as earliest,
    max(last_received_at) + interval '1' day * {{ bind(lookback_days) }} as latest
from {{ t.load_ledger }}
where run_id = {{ bind(run_id) }}
