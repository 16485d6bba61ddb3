-- How many messages break each rule of the tracking plan, the most first, the first and the latest of them, and the
-- sources that send them, five at most, as JSON; no value. Grain: one rule at one property of one event.
-- Parameters: received_since, place_limit.
with sent as (
    select
        violations.event,
        violations.property,
        violations.rule,
        violations.severity,
        violations.message_id,
        violations.received_at,
        events.project_id
    from {{ t.violations }} as violations
    left join {{ t.events }} as events
        on
            violations.message_id = events.message_id
            and events.received_at >= {{ bind(received_since) }}
    where violations.received_at >= {{ bind(received_since) }}
)

select
    event,
    property,
    rule,
    severity,
    count(distinct message_id) as messages,
    min(received_at) as first_at,
    max(received_at) as latest_at,
    json_format(
        cast(slice(array_sort(array_agg(distinct project_id) filter (where project_id is not null)), 1, 5) as json)
    ) as sources
from sent
group by event, property, rule, severity
order by messages desc, event asc, property asc, rule asc
limit {{ bind(place_limit) }}
