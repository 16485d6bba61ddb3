{%- from "macros/segment.sql" import common_columns -%}
-- Screen calls, as in Segment's screens. Grain: one message.
select
    name,
    category,
    properties,
    {{ common_columns(events, quote) }}
from {{ t.events }}
where type = 'screen'
