-- How what is sent differs from the tracking plan, of each kind the commonest; no value. Grain: one difference.
-- Parameters: place_limit.
with ranked as (
    select
        kind,
        event,
        property,
        declared_types,
        seen_types,
        messages,
        last_seen_at,
        compared_at,
        count(*) over (partition by kind) as differences,
        row_number() over (partition by kind order by messages desc, event asc, property asc) as place
    from {{ t.plan_diff }}
)

select
    kind,
    event,
    property,
    declared_types,
    seen_types,
    messages,
    last_seen_at,
    compared_at,
    differences
from ranked
where place <= {{ bind(place_limit) }}
order by messages desc, kind asc, event asc, property asc
