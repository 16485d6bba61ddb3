-- How many messages break each rule of the tracking plan, the most first; no value. Grain: one rule at one property of
-- one event. Parameters: received_since, place_limit.
select
    event,
    property,
    rule,
    severity,
    count(distinct message_id) as messages,
    max(received_at) as latest_at
from {{ t.violations }}
where received_at >= {{ bind(received_since) }}
group by event, property, rule, severity
order by messages desc, event asc, property asc, rule asc
limit {{ bind(place_limit) }}
