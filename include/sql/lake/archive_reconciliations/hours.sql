{%- from "macros/time.sql" import within -%}
-- What the comparisons of some hours with the archive found, over all sources. Grain: one hour.
-- Parameters: window (received_hour).
select
    received_hour,
    sum(messages_here) as messages_here,
    sum(messages_there) as messages_there,
    sum(missing_here) as missing_here,
    sum(missing_there) as missing_there,
    sum(late) as late,
    max(compared_at) as compared_at
from {{ t.archive_reconciliations }}
where {{ within("received_hour", window, bind) }}
group by received_hour
order by received_hour
