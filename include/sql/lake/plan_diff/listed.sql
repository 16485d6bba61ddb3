-- How what is sent differs from the tracking plan, the commonest first; no value. Grain: one difference.
-- Parameters: place_limit.
select
    kind,
    event,
    property,
    declared_types,
    seen_types,
    messages,
    last_seen_at,
    compared_at,
    count(*) over (partition by kind) as differences
from {{ t.plan_diff }}
order by messages desc, kind asc, event asc, property asc
limit {{ bind(place_limit) }}
