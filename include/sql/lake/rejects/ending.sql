{%- from "macros/retention.sql" import is_unsettled -%}
-- How many rejected lines that were not sent again were rejected before a day, and when the first of them was.
-- Grain: one row. Parameters: rejected_before.
select
    count(*) as ending_lines,
    min(rejected_at) as first_rejected_at
from {{ t.rejects }}
where
    staged_at < {{ bind(rejected_before) }}
    and rejected_at < {{ bind(rejected_before) }}
    and {{ is_unsettled() }}
