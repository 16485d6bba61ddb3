-- Keys of messages, and types of their values, when they were first met.
-- Grain: one path and type.
create table if not exists {{ t.schema_changes }} (
    path varchar comment 'The key as a JSON path, such as $.userId, $.context.app or $.properties["a.b"].',
    json_type varchar comment 'Type of its value: object, array, string, number or boolean.',
    change varchar comment 'new_key (never met before) or new_type (met before, with a value of another type).',
    case_twin_of varchar comment 'The path that was there first and differs in upper and lower case only, if there is.',
    message_count bigint comment 'About how many messages of the run have it.',
    example varchar comment 'A value, 200 characters at most: a string as it is, anything else as JSON text. PII.',
    message_id varchar comment 'The message that the example is from.',
    type varchar comment 'Call type of that message.',
    event varchar comment 'Event of that message.',
    received_at timestamp(6) with time zone comment 'When that message was received: the first of the run.',
    source_path varchar comment 'The object that it was read from.',
    recorded_at timestamp(6) with time zone comment 'When it was recorded.',
    load_run_id varchar comment 'The run of load_events that met it first.'
)
comment 'Keys of messages, and types of their values, when they were first met.'
with (
    format = 'PARQUET'
)
