-- Check (fail): of an object of the run, rows read are not loaded + duplicate + rejected, or the reasons are not all.
-- Grain: one staged object of the run. Parameters: run_id.
select
    source_path,
    rows_read,
    rows_loaded,
    rows_duplicate,
    rows_rejected
from {{ t.load_ledger }}
where
    run_id = {{ bind(run_id) }}
    and coalesce(
        rows_read <> rows_loaded + rows_duplicate + rows_rejected
        or rows_rejected <> reduce(map_values(rejected_by_reason), bigint '0', (total, n) -> total + n, total -> total),
        true
    )
order by source_path
limit 20
