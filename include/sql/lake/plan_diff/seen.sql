{%- from "macros/places.sql" import typed_places -%}
-- What the properties of the track events of a time are: which places they have, and values of which JSON Schema types
-- are there. In `path`, [] is each item of an array; the empty path is `properties` itself, so an event's own rows come
-- first and the commonest places after them. Reads the hours of `events` since then, once.
-- Grain: one event, path and type. Parameters: seen_since, depth_limit, place_limit.
with documents as (
    select
        event_text,
        message_id,
        received_at,
        coalesce(event, '') as event,
        coalesce(try(json_parse(properties)), json '{}') as document
    from {{ t.events }}
    where
        type = 'track'
        and received_at >= {{ bind(seen_since) }}
),

-- The example is of the message that was received first, cut to 200 characters.
counted as (
    select
        documents.event,
        place.path,
        place.json_type,
        max_by(documents.event_text, documents.received_at) as event_text,
        count(*) as messages,
        min(documents.received_at) as first_seen_at,
        max(documents.received_at) as last_seen_at,
        min_by(
            cast(
                row(documents.message_id, substr(places.place_values[1], 1, 200))
                as row(message_id varchar, example varchar)
            ),
            documents.received_at
        ) as first_message
    from documents
    cross join unnest({{ typed_places("documents.document", bind(depth_limit)) }}) as places (place, place_values)
    group by documents.event, place.path, place.json_type
)

select
    counted.event,
    counted.json_type,
    counted.event_text,
    counted.messages,
    counted.first_seen_at,
    counted.last_seen_at,
    counted.first_message.message_id,
    counted.first_message.example,
    json_format(cast(counted.path as json)) as path
from counted
order by
    cardinality(counted.path) = 0 desc,
    counted.messages desc,
    counted.event asc,
    counted.path asc,
    counted.json_type asc
limit {{ bind(place_limit) }}
