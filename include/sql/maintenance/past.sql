{%- from "macros/retention.sql" import is_past -%}
-- How many rows of one table were kept for as long as they may be, by day, the oldest days first.
-- Grain: one day. Parameters: altered (schema, name), table (its description), until (a boundary of partitions),
-- keeps_unsettled, day_limit.
select
    date_trunc('day', {{ quote(table.retention.after) }}) as past_day,
    count(*) as past_rows
from {{ t.evolving(altered) }}
where
    {{ is_past(table, until, keeps_unsettled, quote, bind) | indent(4) }}
group by date_trunc('day', {{ quote(table.retention.after) }})
order by past_day
limit {{ bind(day_limit) }}
