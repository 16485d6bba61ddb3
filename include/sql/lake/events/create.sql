-- Every message once, of all sources and call types. Query it by received_at: an hour is one partition.
-- Grain: one message.
create table if not exists {{ t.events }} (
    {%- for column in events.columns %}
    {{ quote(column.name) }} {{ column.sql_type }} comment {{ literal(column.description) }},
    {%- endfor %}
    loaded_at timestamp(6) with time zone comment 'When the row was loaded.',
    load_run_id varchar comment 'The run of load_events that loaded the row.',
    updated_at timestamp(6) with time zone comment 'When the row was last derived again and changed; NULL if never.',
    update_run_id varchar comment 'The run of load_events that changed it then.'
)
comment 'Every message once, of all sources and call types. Query it by received_at: an hour is one partition.'
with (
    format = 'PARQUET',
    partitioning = array['hour(received_at)'],
    sorted_by = array['received_at']
)
