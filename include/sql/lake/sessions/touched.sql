{%- from "macros/outcomes.sql" import outcomes -%}
{%- from "macros/sessions.sql" import event_at, visitor -%}
{%- from "macros/time.sql" import typed_instant -%}
-- How many sessions that are there would be modelled again if the batch was loaded: a new or changed message falls into
-- them, or no further from them than the idle time.
-- Grain: one row. Parameters: run_id, bounds, manifest (rebuild), rules.
with {{ outcomes(t, run_id, bounds, manifest.rebuild, events, bind, quote) }},

-- Where the batch would add or change an event.
points as (
    select
        {{ visitor("outcomes") }} as visitor_id,
        {{ event_at("outcomes", bind(rules.late_days)) }} as event_at
    from outcomes
    where outcomes.is_new or outcomes.is_changed
)

select count(distinct sessions.session_id) as sessions
from {{ t.sessions }} as sessions
inner join points
    on
        sessions.visitor_id = points.visitor_id
        and points.event_at between
        sessions.started_at - interval '1' minute * {{ bind(rules.idle_minutes) }}
        and sessions.ended_at + interval '1' minute * {{ bind(rules.idle_minutes) }}
where
    sessions.started_at >= {{ typed_instant(bounds.earliest, bind) }}
    - interval '1' day * {{ bind(rules.late_days) }}
    - interval '1' hour * {{ bind(rules.longest_hours) }}
    and sessions.started_at <= {{ typed_instant(bounds.latest, bind) }} + interval '1' day
