-- When an earlier run of an erasure last took something away, by place. Grain: one place. Parameters: erasure_id.
select
    place,
    max(erased_at) as erased_at
from {{ t.erasures }}
where erasure_id = {{ bind(erasure_id) }} and removed > 0
group by place
