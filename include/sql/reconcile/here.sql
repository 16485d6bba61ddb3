{%- from "macros/reconcile.sql" import bucket_of -%}
{%- from "macros/suppressed.sql" import is_row_suppressed, suppressed_ids -%}
{%- from "macros/time.sql" import within -%}
-- The messages of `events` of some hours, as counts and digests of their ids.
-- Grain: one bucket of ids of an hour and source. Parameters: window (received_at, full hours).
with {{ suppressed_ids(t) }},

received as (
    select
        events.message_id,
        date_trunc('hour', events.received_at) as received_hour,
        coalesce(events.project_id, '') as source,
        {{ bucket_of("events.message_id") }} as bucket
    from {{ t.events }} as events
    cross join suppressed_ids
    where
        {{ within("events.received_at", window, bind) }}
        and not (
            {{ is_row_suppressed() }}
        )
)

select
    received_hour,
    source,
    bucket,
    count(*) as ids,
    count(*) as lines,
    to_hex(checksum(message_id)) as digest
from received
group by received_hour, source, bucket
