{%- from "macros/time.sql" import within -%}
-- Where the sessions that began in a time entered and where they ended, the commonest pairs first, with sums over all.
-- Grain: one entry and exit. Parameters: bounds, place_limit.
with pairs as (
    select
        entry_step,
        exit_step,
        count(*) as sessions,
        sum(duration_seconds) as seconds,
        count_if(is_bounce) as bounces,
        count_if(conversion_count > 0) as converted
    from {{ t.sessions }}
    where {{ within("started_at", bounds, bind) }}
    group by entry_step, exit_step
)

select
    entry_step,
    exit_step,
    sessions,
    sum(sessions) over () as all_sessions,
    sum(seconds) over () / sum(sessions) over () as mean_seconds,
    sum(bounces) over () as all_bounces,
    sum(converted) over () as all_converted
from pairs
order by sessions desc, entry_step asc, exit_step asc
limit {{ bind(place_limit) }}
