-- Lines that could not be read as a message, whole, with the reason.
-- Grain: one line of one staged object.
create table if not exists {{ t.rejects }} (
    reject_id varchar comment 'Digest of path, line and occurrence: the same line loaded twice is one row.',
    reason varchar comment 'Why: the list of docs/events-table.md, load_failed among them.',
    line varchar comment 'The line as it was read. PII.',
    source_path varchar comment 'The staged object that it was read from.',
    staged_at timestamp(6) with time zone comment 'When that object was staged.',
    rejected_at timestamp(6) with time zone comment 'When the load met it first.',
    load_run_id varchar comment 'The run of load_events that met it first.',
    redriven_at timestamp(6) with time zone comment 'When redrive_failed sent it again; NULL if it did not.',
    redrive_run_id varchar comment 'The run of redrive_failed that sent it again.'
)
comment 'Lines that could not be read as a message, whole, with the reason.'
with (
    format = 'PARQUET',
    partitioning = array['day(staged_at)']
)
