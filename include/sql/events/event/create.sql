-- The messages of one event of the tracking plan, its properties in typed columns. Query it by received_at.
-- Grain: one message. Parameters: event (of the plan).
create table if not exists {{ t.typed(event.table) }} (
    {%- for column in event.shape %}
    {{ quote(column.name) }} {{ column.type }} comment {{ literal(column.comment) }}{{ "," if not loop.last }}
    {%- endfor %}
)
comment {{ literal(event.entry.description) }}
with (
    format = 'PARQUET',
    partitioning = array['day(received_at)'],
    sorted_by = array['received_at']
)
