-- Check (fail): the ledger says of an object that the run loaded other than as many rows as the table has of it, or
-- less than the table has of it from another run. Of another run it may say more: a person's rows may be deleted.
-- Grain: one staged object of the run and one run that loaded rows of it. Parameters: run_id, bounds, staged (when they
-- were staged).
{%- from "macros/time.sql" import within %}
with ledger_rows as (
    select
        source_path,
        run_id,
        rows_loaded
    from {{ t.load_ledger }}
    where staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
),

own_objects as (
    select source_path
    from ledger_rows
    where run_id = {{ bind(run_id) }}
),

-- What every run says of these objects.
listed_rows as (
    select ledger_rows.*
    from ledger_rows
    where ledger_rows.source_path in (select own_objects.source_path from own_objects)
),

-- Rows of the run, and rows of its objects whoever loaded them.
written_rows as (
    select
        source_path,
        load_run_id,
        count(*) as rows_in_events
    from {{ t.events }}
    where
        {{ within("received_at", bounds, bind) }}
        and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
        and load_run_id is not null
        and (
            load_run_id = {{ bind(run_id) }}
            or source_path in (select own_objects.source_path from own_objects)
        )
    group by source_path, load_run_id
)

select
    listed_rows.rows_loaded as rows_in_ledger,
    written_rows.rows_in_events,
    coalesce(listed_rows.source_path, written_rows.source_path) as source_path,
    coalesce(listed_rows.run_id, written_rows.load_run_id) as load_run_id
from listed_rows
full outer join written_rows
    on listed_rows.source_path = written_rows.source_path and listed_rows.run_id = written_rows.load_run_id
where
    coalesce(listed_rows.rows_loaded, 0) < coalesce(written_rows.rows_in_events, 0)
    or (
        listed_rows.run_id = {{ bind(run_id) }}
        and listed_rows.rows_loaded > coalesce(written_rows.rows_in_events, 0)
    )
order by source_path, load_run_id
limit 20
