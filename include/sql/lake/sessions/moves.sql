{%- from "macros/sessions.sql" import event_at, step, visitor -%}
{%- from "macros/time.sql" import within -%}
-- Which step follows which other one in the sessions that began in a time, the commonest first: as the view flows, but
-- of events received in some hours only, which are all that is read. Grain: one step and the one after it.
-- Parameters: bounds, received, rules, place_limit.
with steps as (
    select
        sessions.session_id,
        events.message_id,
        {{ event_at("events", rules.late_days | int) }} as event_at,
        {{ step("events") }} as step
    from {{ t.events }} as events
    inner join {{ t.sessions }} as sessions
        on
            {{ visitor("events") }} = sessions.visitor_id
            and {{ event_at("events", rules.late_days | int) }} between sessions.started_at and sessions.ended_at
    where
        {{ within("sessions.started_at", bounds, bind) }}
        and {{ within("events.received_at", received, bind) }}
        and events.type in ('page', 'screen', 'track')
),

moves as (
    select
        session_id,
        step as from_step,
        lead(step) over (partition by session_id order by event_at asc, message_id asc) as to_step
    from steps
)

select
    from_step,
    to_step,
    count(distinct session_id) as sessions
from moves
where from_step <> to_step
group by from_step, to_step
order by sessions desc, from_step asc, to_step asc
limit {{ bind(place_limit) }}
