-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "awsdatacatalog"."clickstream"."events" (
    "message_id" varchar comment 'It''s the key; a \ stays.',
    "received_at" timestamp(6) with time zone comment 'When it came.',
    "items" bigint comment 'How many.',
    "width" double comment 'Unit: pixels.',
    "price" decimal(18,2) comment 'What it costs.',
    "day" date comment 'Its day.',
    "is_late" boolean comment 'Late.',
    "by_reason" map (varchar, bigint) comment 'Lines.',
    "loads" array(row(run_id varchar, reported_at timestamp(6) with time zone)) comment 'The runs.'
)
comment 'Every message; external_location = ''s3://not-one/'' is a text.'
with (
    partitioning = array['hour(received_at)'],
    sorted_by = array['received_at'],
    format = 'PARQUET'
)
