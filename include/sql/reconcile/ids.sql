{%- from "macros/reconcile.sql" import archived_messages, bucket_of -%}
{%- from "macros/suppressed.sql" import is_row_suppressed -%}
{%- from "macros/time.sql" import within -%}
-- What becomes of the ids of some buckets in which the two sides differ. No id leaves this statement.
-- Grain: one outcome of an hour and source. Parameters: cells_json (hour, source and buckets), archive (folders;
-- received: these hours and those beside them; unreadable; failing), archive_integration, window (received_at in these
-- hours), bounds (received_at of rows that a load would find as duplicates).
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

there as (
    select *
    from archived
    where message_id is not null and bucket in (select wanted.bucket from wanted)
),

here as (
    select
        events.message_id,
        events.received_at,
        events.staged_at,
        date_trunc('hour', events.received_at) as received_hour,
        coalesce(events.project_id, '') as source
    from {{ t.events }} as events
    cross join suppressed_ids
    where
        {{ within("events.received_at", bounds, bind) }}
        and {{ bucket_of("events.message_id") }} in (select wanted.bucket from wanted)
        and not (
            {{ is_row_suppressed() }}
        )
),

-- Of the time that a load searches for duplicates, only ids go on that the archive has: the others are read and not
-- kept.
both_sides as (
    select
        side.received_hour,
        side.source,
        side.is_here,
        coalesce(there.message_id, here.message_id) as message_id,
        if(side.is_here, here.staged_at) as staged_at,
        not side.is_here and there.is_set_aside as is_set_aside
    from here
    full join there on here.message_id = there.message_id
    cross join
        unnest(
            array[row(here.received_hour, here.source, true), row(there.received_hour, there.source, false)]
        ) as side (received_hour, source, is_here)
    where
        side.received_hour is not null
        and (there.message_id is not null or {{ within("here.received_at", window, bind) }})
),

held as (
    select
        message_id,
        received_hour,
        source,
        max(staged_at) as staged_at,
        bool_or(is_set_aside) as is_set_aside,
        bool_or(is_here) as is_here,
        bool_or(not is_here) as is_there
    from both_sides
    group by message_id, received_hour, source
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
            and {{ bucket_of("known.message_id") }} = wanted.bucket
)

select
    received_hour,
    source,
    outcome,
    count(*) as ids
from outcomes
group by received_hour, source, outcome
