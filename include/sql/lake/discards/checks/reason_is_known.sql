-- Check (fail): the run discarded a value for a reason that is not in the closed list, or for none.
-- Grain: one value of one message. Parameters: run_id, bounds.
{%- from "macros/time.sql" import within %}
select
    message_id,
    column_name,
    reason,
    source_path
from {{ t.discards }}
where
    load_run_id = {{ bind(run_id) }}
    and {{ within("received_at", bounds, bind) }}
    and coalesce(reason not in ('wrong_type', 'bad_value'), true)
order by message_id, column_name
limit 20
