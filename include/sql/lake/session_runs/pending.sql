-- The runs of load_events that no run of model_sessions has taken as they are reported now, oldest first.
-- Loads are taken in the order of their reports: none is left from well before one that was taken.
-- Grain: one run of load_events. Parameters: most, reported_since.
with taken as (
    select
        loads.run_id,
        max(loads.reported_at) as reported_at
    from {{ t.session_runs }} as session_runs
    cross join unnest(session_runs.loads) as loads (run_id, reported_at)
    where session_runs.modelled_at >= {{ bind(reported_since) }} - interval '1' day
    group by loads.run_id
)

select
    load_runs.run_id,
    load_runs.reported_at,
    load_runs.first_received_at,
    load_runs.last_received_at,
    load_runs.rows_updated
from {{ t.load_runs }} as load_runs
left join taken on load_runs.run_id = taken.run_id
where
    load_runs.reported_at >= {{ bind(reported_since) }}
    and (taken.run_id is null or taken.reported_at < load_runs.reported_at)
order by load_runs.reported_at
limit {{ bind(most) }}
