{%- from "macros/time.sql" import within -%}
-- How many of the messages that one run loaded break a rule of the tracking plan, of how many, for each event of which
-- some do. Grain: one row. Parameters: run_id, window (received_at of its messages).
with offenders as (
    select
        event,
        count(distinct message_id) as violating
    from {{ t.violations }}
    where
        load_run_id = {{ bind(run_id) }}
        and {{ within("received_at", window, bind) }}
    group by event
),

loaded as (
    select
        event,
        count(*) as messages
    from {{ t.events }}
    where
        load_run_id = {{ bind(run_id) }}
        and type = 'track'
        and {{ within("received_at", window, bind) }}
    group by event
)

select
    json_format(
        cast(
            map_agg(
                loaded.event,
                map(array['messages', 'violating'], array[loaded.messages, offenders.violating])
            ) as json
        )
    ) as violations_by_event
from loaded
inner join offenders on loaded.event = offenders.event
