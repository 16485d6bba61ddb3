-- Check (fail): the ledger says of an object that the run loaded other than as many rows as the table has of it.
-- Grain: one staged object of the run. Parameters: run_id, bounds, staged (when they were staged).
with written_rows as (
    select
        source_path,
        count(*) as rows_in_events
    from {{ t.events }}
    where
        load_run_id = {{ bind(run_id) }}
        and received_at between {{ bind(bounds.earliest) }} and {{ bind(bounds.latest) }}
        and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
    group by source_path
),

listed_rows as (
    select
        source_path,
        rows_loaded
    from {{ t.load_ledger }}
    where
        run_id = {{ bind(run_id) }}
        and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
)

select
    listed_rows.rows_loaded as rows_in_ledger,
    written_rows.rows_in_events,
    coalesce(listed_rows.source_path, written_rows.source_path) as source_path
from listed_rows
full outer join written_rows on listed_rows.source_path = written_rows.source_path
where coalesce(listed_rows.rows_loaded, 0) <> coalesce(written_rows.rows_in_events, 0)
order by source_path
limit 20
