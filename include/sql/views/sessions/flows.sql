-- Which page, screen or event follows which, a day. identify, group and alias calls are no steps and are passed over.
-- `from_step` is NULL where a session begins, `to_step` where it ends.
-- Grain: one day (of the session's start), one step and the one after it.
with steps as (
    select
        session_id,
        session_started_at,
        visitor_id,
        type,
        step,
        event_at,
        position
    from {{ t.session_events }}
    where type in ('page', 'screen', 'track')
),

-- One move out of each step, and one into the first step of each session.
moves as (
    select
        session_id,
        visitor_id,
        cast(session_started_at at time zone 'UTC' as date) as day,
        type as from_type,
        step as from_step,
        lead(type) over session as to_type,
        lead(step) over session as to_step,
        date_diff('millisecond', event_at, lead(event_at) over session) / 1000.0e0 as seconds
    from steps
    window session as (partition by session_id, session_started_at order by position)
    union all
    select
        session_id,
        visitor_id,
        cast(session_started_at at time zone 'UTC' as date) as day,
        null as from_type,
        null as from_step,
        min_by(type, position) as to_type,
        min_by(step, position) as to_step,
        null as seconds
    from steps
    group by session_id, session_started_at, visitor_id
)

select
    day,
    from_type,
    from_step,
    to_type,
    to_step,
    count(*) as moves,
    count(distinct session_id) as sessions,
    count(distinct visitor_id) as visitors,
    avg(seconds) as mean_seconds
from moves
group by day, from_type, from_step, to_type, to_step
