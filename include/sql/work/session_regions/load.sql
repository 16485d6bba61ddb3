{%- from "macros/session_points.sql" import session_points -%}
-- Which parts of which visitors' time are modelled again. A region is a chain of sessions and changed points, none
-- further from the next than the idle time, with at least one point in it; beyond its ends is silence, so nothing
-- outside can change. Of a chain that was cut by the longest duration, what ended before the first point stays.
-- Grain: one region. Parameters: run_id, changes, rules, sessions_since (no earlier one is touched).
create or replace table {{ t.session_regions(run_id) }} as
with points as (
    {{- session_points(t, changes, rules, bind, bind_each) }}
),

-- A session that a point may join began at most one longest session and one idle time before it.
touched as (
    select
        visitor_id,
        min(event_at)
        - interval '1' hour * {{ bind(rules.longest_hours) }}
        - interval '1' minute * {{ bind(rules.idle_minutes) }} as since
    from points
    group by visitor_id
),

-- Sessions and points alike, as spans of time of one visitor.
spans as (
    select
        sessions.visitor_id,
        sessions.started_at as starts_at,
        sessions.ended_at as ends_at,
        false as is_point,
        sessions.first_received_at,
        sessions.last_received_at
    from {{ t.sessions }} as sessions
    inner join touched
        on
            sessions.visitor_id = touched.visitor_id
            and sessions.started_at >= touched.since
    {%- if sessions_since %}
    where sessions.started_at >= {{ bind(sessions_since) }}
    {%- endif %}
    union all
    select
        visitor_id,
        event_at as starts_at,
        event_at as ends_at,
        true as is_point,
        received_at as first_received_at,
        received_at as last_received_at
    from points
),

-- How far the spans before one reach.
reached as (
    select
        *,
        max(ends_at) over (
            partition by visitor_id
            order by starts_at asc, ends_at asc
            rows between unbounded preceding and 1 preceding
        ) as reached_at
    from spans
),

-- A span that is further away than the idle time begins a new chain.
chained as (
    select
        *,
        sum(if(starts_at <= reached_at + interval '1' minute * {{ bind(rules.idle_minutes) }}, 0, 1)) over (
            partition by visitor_id
            order by starts_at asc, ends_at asc
            rows between unbounded preceding and current row
        ) as chain
    from reached
),

-- The first point of each chain: one without a point stays as it is.
pointed as (
    select
        *,
        min(if(is_point, starts_at)) over (partition by visitor_id, chain) as first_point_at
    from chained
)

select
    visitor_id,
    coalesce(max(if(not is_point and starts_at <= first_point_at, starts_at)), min(starts_at)) as starts_at,
    max(ends_at) as ends_at,
    count_if(is_point) as points,
    array_agg(
        distinct cast(
            row(date_trunc('hour', first_received_at), date_trunc('hour', last_received_at)) as row(
                starts_at timestamp(6) with time zone, ends_at timestamp(6) with time zone
            )
        )
    ) as received
from pointed
where first_point_at is not null
group by visitor_id, chain
