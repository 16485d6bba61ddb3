-- Values that did not fit their column: the column is NULL, the value is here, the rest of the row is in `events`.
-- Grain: one value of one message.
create table if not exists {{ t.discards }} (
    message_id varchar comment 'The message.',
    column_name varchar comment 'The column of events that is NULL for it, or table.column of its event.',
    value varchar comment 'The value as JSON text. PII.',
    wanted_type varchar comment 'What the column holds, such as text, double or decimal(18,2).',
    reason varchar comment 'wrong_type (of JSON) or bad_value (a string or number that does not say one).',
    received_at timestamp(6) with time zone comment 'When the message was received.',
    source_path varchar comment 'The staged object that it was read from.',
    discarded_at timestamp(6) with time zone comment 'When it was loaded.',
    load_run_id varchar comment 'The run of load_events that loaded it.'
)
comment 'Values that did not fit their column.'
with (
    format = 'PARQUET',
    partitioning = array['day(received_at)']
)
