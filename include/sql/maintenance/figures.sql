-- How much one table weighs: its files of data and of deletes, their bytes, its snapshots.
-- Grain: one row. Parameters: altered (schema, name).
with weights as (
    select
        count(*) as files,
        coalesce(sum(file_size_in_bytes), 0) as bytes
    from {{ t.metadata(altered, "files") }}
),

history as (
    select count(*) as snapshots
    from {{ t.metadata(altered, "snapshots") }}
)

select
    weights.files,
    weights.bytes,
    history.snapshots
from weights
cross join history
