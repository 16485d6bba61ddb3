-- Check (fail): the ledger says of an object that other than as many lines were rejected as the table has of it.
-- Lines that an earlier run rejected count too: each is kept once, however often its object is loaded.
-- Grain: one staged object of the run. Parameters: run_id, staged (when its objects were staged).
with listed_rows as (
    select
        source_path,
        rows_rejected
    from {{ t.load_ledger }}
    where
        run_id = {{ bind(run_id) }}
        and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
),

kept_rows as (
    select
        source_path,
        count(*) as rows_in_rejects
    from {{ t.rejects }}
    where staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
    group by source_path
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
