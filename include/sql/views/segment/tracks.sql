{%- from "macros/segment.sql" import common_columns -%}
-- Track calls without their properties, as in Segment's tracks. Grain: one message.
select
    event,
    event_text,
    {{ common_columns(events, quote) }}
from {{ t.events }}
where type = 'track'
