-- When the sessions began that one run wrote: which part of `sessions` its checks ask.
-- Grain: one row; both NULL for a run that wrote none. Parameters: run_id.
select
    min(first_started_at) as earliest,
    max(last_started_at) as latest
from {{ t.session_runs }}
where run_id = {{ bind(run_id) }}
