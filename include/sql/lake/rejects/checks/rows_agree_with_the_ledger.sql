-- Check (fail): of an object, the table has fewer lines than the ledger says were rejected, or more.
-- Lines that an earlier run rejected count too: each is kept once, however often its object is loaded. So do those that
-- are kept under another name of the object.
-- Grain: one staged object of the run. Parameters: run_id, staged (when its objects were staged).
{%- from "macros/archive.sql" import between_names, source_object %}
-- An object that is listed twice counts once here: load_ledger.object_is_listed_once finds it.
with listed_rows as (
    select distinct
        source_path,
        staged_at,
        rows_rejected
    from {{ t.load_ledger }}
    where
        run_id = {{ bind(run_id) }}
        and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
),

-- A copy of an object under another name has another time, a little before or after.
kept_rows as (
    select
        source_path,
        {{ source_object("source_path") }} as source_object,
        staged_at,
        count(*) as rows_in_rejects
    from {{ t.rejects }}
    where
        staged_at
        between {{ bind(staged.earliest) }} - {{ between_names() }}
        and {{ bind(staged.latest) }} + {{ between_names() }}
    group by source_path, staged_at
),

-- Lines of all names of an object, and of this name alone.
found_rows as (
    select
        listed_rows.source_path,
        listed_rows.rows_rejected,
        coalesce(sum(kept_rows.rows_in_rejects), 0) as rows_in_rejects,
        coalesce(
            sum(kept_rows.rows_in_rejects) filter (where kept_rows.source_path = listed_rows.source_path), 0
        ) as rows_of_this_name
    from listed_rows
    left join kept_rows
        on
            {{ source_object("listed_rows.source_path") }} = kept_rows.source_object
            and kept_rows.staged_at
            between listed_rows.staged_at - {{ between_names() }} and listed_rows.staged_at + {{ between_names() }}
    group by listed_rows.source_path, listed_rows.rows_rejected
)

select
    source_path,
    rows_rejected as rows_in_ledger,
    rows_in_rejects
from found_rows
where rows_in_rejects < rows_rejected or rows_of_this_name > rows_rejected
order by source_path
limit 20
