{%- from "macros/segment.sql" import common_columns, own_names -%}
-- The calls of one event of the tracking plan, as in Segment's table of that event. A property that is named like one
-- of Segment's own columns is left out, as Segment does; the table of the event has it.
-- Grain: one message. Parameters: event (of the plan).
select
    event,
    event_text,
    {%- for column in event.columns + event.retired if column.name not in own_names %}
    {{ quote(column.name) }},
    {%- endfor %}
    {{ common_columns(events, quote) }}
from {{ t.typed(event.table) }}
