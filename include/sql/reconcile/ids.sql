{%- from "macros/reconcile.sql" import archived_messages, bucket_of -%}
{%- from "macros/suppressed.sql" import is_row_suppressed -%}
{%- from "macros/time.sql" import within -%}
-- What becomes of the ids of some buckets in which the two sides differ. No id leaves this statement.
-- Grain: one outcome of an hour and source. Parameters: cells_json (hour, source and buckets), archive (folders;
-- received: these hours and those beside them; unreadable; failing), archive_integration, bounds (received_at of rows
-- that a load would find as duplicates).
with {{ archived_messages(t, archive, archive_integration, events, bind, bind_each, quote, literal) }},

wanted as (
    select
        cast(from_iso8601_timestamp_nanos(listed.received_hour) as timestamp(6) with time zone) as received_hour,
        listed.source,
        numbered.bucket
    from
        unnest(
            cast(
                json_parse({{ bind(cells_json) }})
                as array(row(received_hour varchar, source varchar, buckets array(bigint)))
            )
        ) as listed (received_hour, source, buckets)
    cross join unnest(listed.buckets) as numbered (bucket)
),

both_sides as (
    select
        message_id,
        received_hour,
        source,
        bucket,
        cast(null as timestamp(6) with time zone) as staged_at,
        is_set_aside,
        false as is_here
    from archived
    where message_id is not null
    union all
    select
        events.message_id,
        date_trunc('hour', events.received_at) as received_hour,
        coalesce(events.project_id, '') as source,
        {{ bucket_of("events.message_id") }} as bucket,
        events.staged_at,
        false as is_set_aside,
        true as is_here
    from {{ t.events }} as events
    cross join suppressed_ids
    where
        {{ within("events.received_at", bounds, bind) }}
        and not (
            {{ is_row_suppressed() }}
        )
),

held as (
    select
        message_id,
        received_hour,
        source,
        bucket,
        max(staged_at) as staged_at,
        bool_or(is_set_aside) as is_set_aside,
        bool_or(is_here) as is_here,
        bool_or(not is_here) as is_there
    from both_sides
    where bucket in (select wanted.bucket from wanted)
    group by message_id, received_hour, source, bucket
),

-- Whether a side has the id in any hour or source.
known as (
    select
        *,
        bool_or(is_here) over of_id as is_here_somewhere,
        bool_or(is_there) over of_id as is_there_somewhere
    from held
    window of_id as (partition by message_id)
),

-- What was staged that late may be in a later folder of the archive, which is not read.
outcomes as (
    select
        known.received_hour,
        known.source,
        case
            when known.is_here and known.is_there then 'in_both'
            when known.is_here_somewhere and known.is_there_somewhere then 'duplicate'
            when known.is_there and known.is_set_aside then 'refused_here'
            when known.is_there then 'missing_here'
            when known.staged_at >= known.received_hour + interval '2' hour then 'late'
            else 'missing_there'
        end as outcome
    from known
    inner join wanted
        on
            known.received_hour = wanted.received_hour
            and known.source = wanted.source
            and known.bucket = wanted.bucket
)

select
    received_hour,
    source,
    outcome,
    count(*) as ids
from outcomes
group by received_hour, source, outcome
