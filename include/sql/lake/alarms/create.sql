-- What watch_pipeline found wrong, when, and whom it told. Grain: one alarm from its opening to its end.
create table if not exists {{ t.alarms }} (
    name varchar comment 'Which alarm; docs/alarms.md lists them.',
    subject varchar comment 'The run of load_events that it is about; empty for a state of the pipeline.',
    severity varchar comment 'warning or critical.',
    text varchar comment 'What is wrong and what to do, as it was last told.',
    figures varchar comment 'The figures that it was decided from, as a JSON object.',
    opened_at timestamp(6) with time zone comment 'When it was first seen.',
    last_seen_at timestamp(6) with time zone comment 'When it was last seen.',
    closed_at timestamp(6) with time zone comment 'When it was over; NULL before. At once for one about a run.',
    told_at varchar comment 'When each destination was last told, as a JSON object; one told of the end is out.'
)
comment 'What watch_pipeline found wrong, when, and whom it told.'
with (
    format = 'PARQUET'
)
