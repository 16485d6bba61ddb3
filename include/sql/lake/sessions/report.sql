-- What one run did to the sessions of its regions. `aliased` are ids that it replaced.
-- Grain: one row. Parameters: run_id, bounds (of the regions).
select
    count_if(sessions.created_run_id = {{ bind(run_id) }}) as sessions_new,
    count_if(
        sessions.updated_run_id = {{ bind(run_id) }} and sessions.created_run_id <> {{ bind(run_id) }}
    ) as sessions_changed,
    coalesce(
        sum(cardinality(filter(sessions.former_ids, former -> former.model_run_id = {{ bind(run_id) }}))), 0
    ) as sessions_aliased,
    count_if(
        sessions.is_capped and {{ bind(run_id) }} in (sessions.created_run_id, sessions.updated_run_id)
    ) as sessions_capped
from {{ t.sessions }} as sessions
inner join {{ t.session_regions(run_id) }} as regions
    on
        sessions.visitor_id = regions.visitor_id
        and sessions.started_at between regions.starts_at and regions.ends_at
where sessions.started_at between {{ bind(bounds.earliest) }} and {{ bind(bounds.latest) }}
