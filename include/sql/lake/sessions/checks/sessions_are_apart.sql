-- Check (fail): a session that the run wrote is not over when the visitor's next one begins, or is too near to it
-- without having been cut.
-- Grain: one session. Parameters: run_id, bounds (when those it wrote began), rules.
{%- from "macros/time.sql" import typed_instant %}
with written as (
    select
        visitor_id,
        min(started_at) - interval '1' hour * {{ bind(rules.longest_hours) }} as since
    from {{ t.sessions }}
    where
        {{ bind(run_id) }} in (created_run_id, updated_run_id)
        and started_at between {{ bind(bounds.earliest) }} and {{ bind(bounds.latest) }}
    group by visitor_id
),

-- Each session with the start of the next one of its visitor.
followed as (
    select
        sessions.session_id,
        sessions.ended_at,
        sessions.is_capped,
        lead(sessions.started_at) over (
            partition by sessions.visitor_id
            order by sessions.started_at
        ) as next_started_at
    from {{ t.sessions }} as sessions
    inner join written
        on
            sessions.visitor_id = written.visitor_id
            and sessions.started_at >= written.since
    where
        sessions.started_at >= {{ typed_instant(bounds.earliest, bind) }}
        - interval '1' hour * {{ bind(rules.longest_hours) }}
        and sessions.started_at <= {{ typed_instant(bounds.latest, bind) }}
        + interval '1' minute * {{ bind(rules.idle_minutes) }}
)

select
    session_id,
    ended_at,
    next_started_at
from followed
where
    next_started_at <= ended_at
    or (next_started_at <= ended_at + interval '1' minute * {{ bind(rules.idle_minutes) }}) <> is_capped
order by session_id
limit 20
