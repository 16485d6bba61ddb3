{%- from "macros/person.sql" import has_id, is_id -%}
-- Sessions that a person was in, and whether they are of an id of the person or of a device that others used too.
-- Grain: one session. Parameters: altered (schema, name: sessions, or drafts of them), ids, earlier.
select
    started_at,
    ended_at,
    {{ is_id("visitor_id", ids, earlier, bind_each) }} as is_own
from {{ t.any_table(altered) }}
where
    {{ has_id(["visitor_id", "first_user_id", "last_user_id"], ids, earlier, quote, bind_each) }}
    or any_match(
        flatten(transform(identified, seen -> array[seen.id, seen.user_id])),
        id -> {{ is_id("id", ids, earlier, bind_each) }}
    )
order by started_at, ended_at
