-- Staged objects that cannot be read, set aside so that the others load. Take the row out to have it loaded again.
-- Grain: one object.
create table if not exists {{ t.quarantine }} (
    source_path varchar comment 'The staged object.',
    copy_path varchar comment 'Where a copy of it is kept, beyond the life of staging.',
    bytes bigint comment 'Its size. Unit: bytes.',
    reason varchar comment 'Why it cannot be read, as the reader says.',
    staged_at timestamp(6) with time zone comment 'When it was staged.',
    quarantined_at timestamp(6) with time zone comment 'When it was set aside.',
    load_run_id varchar comment 'The run of load_events that met it.'
)
comment 'Staged objects that cannot be read, set aside so that the others load.'
with (
    format = 'PARQUET'
)
