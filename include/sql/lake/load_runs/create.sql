-- The report of every run of load_events. Grain: one run.
create table if not exists {{ t.load_runs }} (
    run_id varchar comment 'The run of load_events.',
    objects bigint comment 'Staged objects read.',
    bytes bigint comment 'Their size. Unit: bytes.',
    rows_read bigint comment 'Lines read: loaded + duplicate + rejected.',
    rows_loaded bigint comment 'Rows added to events.',
    rows_duplicate bigint comment 'Lines whose message was there already.',
    rows_rejected bigint comment 'Lines kept in rejects.',
    values_discarded bigint comment 'Single values kept in discards.',
    rows_updated bigint comment 'Of the duplicate ones, those whose row was derived again and changed.',
    rejected_by_reason varchar comment 'Rejected lines by reason, as JSON.',
    rows_by_delay varchar comment 'Loaded rows by how late they came, as JSON.',
    violations_by_event varchar comment 'Messages loaded, and those that break a rule of the plan, by event, as JSON.',
    tables_failed varchar comment 'Tables of events that could not be filled, with the reason, as JSON.',
    first_received_at timestamp(6) with time zone comment 'Earliest received_at of its messages.',
    last_received_at timestamp(6) with time zone comment 'Latest received_at of its messages.',
    reported_at timestamp(6) with time zone comment 'When the report was made.'
)
comment 'The report of every run of load_events.'
with (
    format = 'PARQUET'
)
