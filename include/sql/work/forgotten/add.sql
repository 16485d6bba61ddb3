{%- from "macros/person.sql" import has_id -%}
-- Ids of a person's messages in one table, those that are not noted yet.
-- Grain: one message. Parameters: run_id, altered (schema, name), ids, earlier.
insert into {{ t.forgotten(run_id) }}
select distinct messages.message_id
from {{ t.any_table(altered) }} as messages
where
    ({{ has_id(["user_id", "anonymous_id", "previous_id"], ids, earlier, quote, bind_each) }})
    and messages.message_id not in (select noted.message_id from {{ t.forgotten(run_id) }} as noted)
    and messages.message_id is not null
