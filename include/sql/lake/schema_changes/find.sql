{%- from "macros/new_keys.sql" import new_keys -%}
-- How many keys and types of a batch are new, before any is recorded.
-- Grain: one row. Parameters: run_id, shape_limit.
with {{ new_keys(t.batch(run_id), t.schema_changes, bind(shape_limit)) }},

shape_counts as (
    select count(distinct xxhash64(to_utf8(shape))) as shape_count
    from {{ t.batch(run_id) }}
),

change_counts as (
    select count(*) as new_count
    from new_keys
)

select
    change_counts.new_count,
    shape_counts.shape_count
from change_counts
cross join shape_counts
