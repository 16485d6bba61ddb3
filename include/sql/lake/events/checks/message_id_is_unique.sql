-- Check (fail): a message that the run loaded is in the table more than once within the look-back for duplicates.
-- Only the run's messages are compared, with every row that the run could touch: what the load itself promises.
-- Grain: one message id. Parameters: run_id, bounds.
{%- from "macros/time.sql" import within %}
with loaded_messages as (
    select message_id
    from {{ t.events }}
    where
        load_run_id = {{ bind(run_id) }}
        and {{ within("received_at", bounds, bind) }}
)

select
    message_id,
    count(*) as copies
from {{ t.events }}
where
    {{ within("received_at", bounds, bind) }}
    and message_id in (select loaded_messages.message_id from loaded_messages)
group by message_id
having count(*) > 1
order by copies desc, message_id asc
limit 20
