-- What became of every line of every staged object: what "not yet loaded", expiry and reports are decided from.
-- Grain: one staged object and one run that loaded it.
create table if not exists {{ t.load_ledger }} (
    source_path varchar comment 'The staged object.',
    run_id varchar comment 'The run of load_events.',
    bytes bigint comment 'Size of the object. Unit: bytes.',
    rows_read bigint comment 'Lines read from it.',
    rows_loaded bigint comment 'Rows of events that this run took from it.',
    rows_duplicate bigint comment 'Lines whose message was in events already, or earlier in this batch.',
    rows_rejected bigint comment 'Lines that could not be read as a message.',
    rejected_by_reason map (varchar, bigint) comment 'The rejected lines by reason.',
    first_received_at timestamp(6) with time zone comment 'Earliest received_at of its messages.',
    last_received_at timestamp(6) with time zone comment 'Latest received_at of its messages.',
    staged_at timestamp(6) with time zone comment 'When the object was staged.',
    loaded_at timestamp(6) with time zone comment 'When the run loaded it.'
)
comment 'What became of every line of every staged object.'
with (
    format = 'PARQUET',
    partitioning = array['day(staged_at)']
)
