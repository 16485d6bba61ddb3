-- Check (fail): the ledger says of an object that other than as many lines were rejected as the table has of it.
-- Lines that an earlier run rejected count too: each is kept once, however often its object is loaded.
-- Grain: one staged object of the run. Parameters: run_id.
with listed_rows as (
    select
        source_path,
        staged_at,
        rows_rejected
    from {{ t.load_ledger }}
    where run_id = {{ bind(run_id) }}
),

staging_time as (
    select
        min(staged_at) as first_staged_at,
        max(staged_at) as last_staged_at
    from listed_rows
),

kept_rows as (
    select
        rejects.source_path,
        count(*) as rows_in_rejects
    from {{ t.rejects }} as rejects
    cross join staging_time
    where rejects.staged_at between staging_time.first_staged_at and staging_time.last_staged_at
    group by rejects.source_path
)

select
    listed_rows.source_path,
    listed_rows.rows_rejected as rows_in_ledger,
    kept_rows.rows_in_rejects
from listed_rows
left join kept_rows on listed_rows.source_path = kept_rows.source_path
where listed_rows.rows_rejected <> coalesce(kept_rows.rows_in_rejects, 0)
order by listed_rows.source_path
limit 20
