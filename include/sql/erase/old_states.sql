-- Which states of a table can still be read that are older than a moment, other than the current one, and how many
-- files still correct others. Grain: one row. Parameters: altered (schema, name), before.
with states as (
    select
        committed_at,
        row_number() over (order by committed_at desc) as age
    from {{ t.metadata(altered, "snapshots") }}
),

deletes as (
    select count(*) as delete_files
    from {{ t.metadata(altered, "files") }}
    where content <> 0
)

select
    count(states.committed_at) filter (where states.committed_at <= {{ bind(before) }}) as old_states,
    max(deletes.delete_files) as delete_files
from deletes
left join states on states.age > 1
