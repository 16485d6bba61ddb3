{%- from "macros/time.sql" import within -%}
-- How late the events of one run came, from happening to being received. Grain: one row. Parameters: run_id, bounds.
with delays as (
    select
        case
            when is_future then 'future'
            when "timestamp" >= received_at - interval '5' minute then 'up to 5 minutes'
            when "timestamp" >= received_at - interval '1' hour then 'up to 1 hour'
            when "timestamp" >= received_at - interval '24' hour then 'up to 24 hours'
            when "timestamp" >= received_at - interval '7' day then 'up to 7 days'
            else 'over 7 days'
        end as delay
    from {{ t.events }}
    where
        {{ within("received_at", bounds, bind) }}
        and load_run_id = {{ bind(run_id) }}
),

counts as (
    select
        delay,
        count(*) as delay_rows
    from delays
    group by delay
)

select json_format(cast(map_agg(delay, delay_rows) as json)) as rows_by_delay
from counts
