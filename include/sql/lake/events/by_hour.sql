{%- from "macros/time.sql" import typed_instant, within -%}
-- How many messages of each source, and of each event, were received in each hour of some days that end `until`: by how
-- many hours before it, as JSON. Calls that are no track calls count by their type. Of the events, the commonest.
-- Grain: one source, or one event. Parameters: bounds (full hours), until, event_limit.
with received as (
    select
        type,
        event_text,
        received_at,
        coalesce(project_id, '') as source,
        if(type = 'track', coalesce(event, ''), '') as event,
        date_diff('hour', date_trunc('hour', received_at), {{ typed_instant(until, bind) }}) as hours_before
    from {{ t.events }}
    where {{ within("received_at", bounds, bind) }}
),

-- A source has no type and no event here, an event no source.
hours as (
    select
        source,
        type,
        event,
        hours_before,
        max(event_text) as event_text,
        count(*) as messages,
        max(received_at) as newest_received_at
    from received
    group by grouping sets ((source, hours_before), (type, event, hours_before))
),

subjects as (
    select
        source,
        type,
        event,
        max(event_text) as event_text,
        sum(messages) as messages,
        max(newest_received_at) as newest_received_at,
        json_format(cast(map_agg(cast(hours_before as varchar), messages) as json)) as messages_by_hour
    from hours
    group by source, type, event
),

ranked as (
    select
        *,
        count(*) over kind as subjects,
        row_number() over (partition by source is null order by messages desc, source asc, type asc, event asc) as place
    from subjects
    window kind as (partition by source is null)
)

select
    source,
    type,
    event,
    event_text,
    newest_received_at,
    messages_by_hour,
    subjects
from ranked
where place <= {{ bind(event_limit) }}
order by place, source
