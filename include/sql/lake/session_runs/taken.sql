-- When the newest report was made that a run of model_sessions has taken; NULL for none in the time asked for.
-- Grain: one row. Parameters: modelled_since.
select max(loads.reported_at) as reported_at
from {{ t.session_runs }} as session_runs
cross join unnest(session_runs.loads) as loads (run_id, reported_at)
where session_runs.modelled_at >= {{ bind(modelled_since) }}
