{%- from "macros/person.sql" import has_quoted_id -%}
-- Rejected lines in which an id of a person stands. Grain: one line. Parameters: after_id (reject_id of the last row
-- before), quoted_json.
select
    reject_id,
    staged_at,
    line
from {{ t.rejects }}
where
    reject_id > {{ bind(after_id) }}
    and {{ has_quoted_id("line", quoted_json, bind) }}
order by reject_id
limit 500
