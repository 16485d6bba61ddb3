-- How much one lake table weighs: its files of data and of deletes, their bytes, its snapshots.
-- Grain: one row. Parameters: table (its name).
with weights as (
    select
        count(*) as files,
        coalesce(sum(file_size_in_bytes), 0) as bytes
    from {{ t.metadata(table, "files") }}
),

history as (
    select count(*) as snapshots
    from {{ t.metadata(table, "snapshots") }}
)

select
    weights.files,
    weights.bytes,
    history.snapshots
from weights
cross join history
