{%- from "macros/time.sql" import typed_instant, within -%}
-- What was loaded of some sources, by the hour received, and how many lines of objects with messages of that hour were
-- duplicates or rejected. Which of these lines are of which hour or source is not known: so it is a most.
-- Grain: one hour. Parameters: bounds (full hours, the last instant included), project_ids.
with loaded as (
    select
        date_trunc('hour', received_at) as received_hour,
        count(*) as rows_loaded
    from {{ t.events }}
    where
        {{ within("received_at", bounds, bind) }}
        and project_id in ({{ bind_each(project_ids) }})
    group by date_trunc('hour', received_at)
),

-- An object that was loaded again has another row, in which all lines are duplicates.
objects as (
    select
        source_path,
        max(rows_read) - sum(rows_loaded) as rows_left,
        -- Of an object without a message only the time staged is known.
        coalesce(min(first_received_at), min(staged_at) - interval '2' hour) as first_received_at,
        coalesce(max(last_received_at), max(staged_at)) as last_received_at
    from {{ t.load_ledger }}
    where
        staged_at >= {{ bind(bounds.earliest) }}
        and starts_with(source_path, {{ literal(t.staging_location) }})
    group by source_path
),

hours as (
    select {{ typed_instant(bounds.earliest, bind) }} + interval '1' hour * listed.number as received_hour
    from
        unnest(
            sequence(
                0,
                date_diff('hour', {{ typed_instant(bounds.earliest, bind) }}, {{ typed_instant(bounds.latest, bind) }})
            )
        ) as listed (number)
)

select
    hours.received_hour,
    coalesce(max(loaded.rows_loaded), 0) as rows_loaded,
    coalesce(sum(objects.rows_left), 0) as rows_left
from hours
left join loaded on hours.received_hour = loaded.received_hour
left join objects
    on
        hours.received_hour + interval '1' hour > objects.first_received_at
        and hours.received_hour <= objects.last_received_at
        and objects.rows_left > 0
group by hours.received_hour
order by hours.received_hour
