{%- from "macros/segment.sql" import common_columns -%}
-- Alias calls, as in Segment's aliases. Grain: one message.
select
    previous_id,
    traits,
    {{ common_columns(events, quote) }}
from {{ t.events }}
where type = 'alias'
