-- Check (fail): the run loaded a message of a person whose data was erased.
-- Grain: one message. Parameters: run_id, bounds.
{%- from "macros/time.sql" import within %}
select message_id
from {{ t.events }}
where
    load_run_id = {{ bind(run_id) }}
    and {{ within("received_at", bounds, bind) }}
    and (
        to_hex(sha256(to_utf8(user_id))) in (select ids.id_digest from {{ t.suppressions }} as ids)
        or to_hex(sha256(to_utf8(anonymous_id))) in (select ids.id_digest from {{ t.suppressions }} as ids)
        or to_hex(sha256(to_utf8(previous_id))) in (select ids.id_digest from {{ t.suppressions }} as ids)
    )
order by message_id
limit 20
