-- Check (fail): of an object of the run, rows read are not loaded + duplicate + rejected, or none was read of its
-- content, or the reasons are not all.
-- Grain: one staged object of the run. Parameters: run_id, staged (when its objects were staged).
{%- from "macros/ledger.sql" import adds_up %}
select
    source_path,
    rows_read,
    rows_loaded,
    rows_duplicate,
    rows_rejected
from {{ t.load_ledger }}
where
    run_id = {{ bind(run_id) }}
    and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
    and coalesce(
        not ({{ adds_up(t) }})
        or rows_rejected <> reduce(map_values(rejected_by_reason), bigint '0', (total, n) -> total + n, total -> total),
        true
    )
order by source_path
limit 20
