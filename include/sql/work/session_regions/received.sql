-- When the events of the regions were received, as spans, those less than a day apart made one: what of `events` has to
-- be read, so that one late event does not cost the whole time since.
-- Grain: one span. Parameters: run_id.
with spans as (
    select distinct
        received.starts_at,
        received.ends_at + interval '1' hour as ends_at
    from {{ t.session_regions(run_id) }} as regions
    cross join unnest(regions.received) as received (starts_at, ends_at)
),

-- How far the spans before one reach.
reached as (
    select
        starts_at,
        ends_at,
        max(ends_at) over (
            order by starts_at asc, ends_at asc
            rows between unbounded preceding and 1 preceding
        ) as reached_at
    from spans
),

-- A span that begins more than a day later begins a new chain.
chained as (
    select
        starts_at,
        ends_at,
        sum(if(starts_at <= reached_at + interval '1' day, 0, 1)) over (
            order by starts_at asc, ends_at asc
            rows between unbounded preceding and current row
        ) as chain
    from reached
)

select
    min(starts_at) as starts_at,
    max(ends_at) as ends_at
from chained
group by chain
order by starts_at
