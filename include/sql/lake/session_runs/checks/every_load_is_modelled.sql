-- Check (warn): a run of load_events was reported more than 6 hours ago, and no run of model_sessions has taken it.
-- A week is looked at: the next run of model_sessions takes it, however old.
-- Grain: one run of load_events. Parameters: now.
with taken as (
    select loads.run_id
    from {{ t.session_runs }} as session_runs
    cross join unnest(session_runs.loads) as loads (run_id, reported_at)
    where session_runs.modelled_at >= {{ bind(now) }} - interval '8' day
)

select
    run_id,
    reported_at
from {{ t.load_runs }}
where
    reported_at between {{ bind(now) }} - interval '7' day and {{ bind(now) }} - interval '6' hour
    and run_id not in (select taken.run_id from taken)
order by reported_at
limit 20
