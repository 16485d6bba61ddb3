create table if not exists `clickstream`.`events` (
    `message_id` string comment 'It\'s the key; a \\ stays.',
    `received_at` timestamp comment 'When it came.',
    `items` bigint comment 'How many.',
    `width` double comment 'Unit: pixels.',
    `price` decimal(18,2) comment 'What it costs.',
    `day` date comment 'Its day.',
    `is_late` boolean comment 'Late.',
    `by_reason` map<string,bigint> comment 'Lines.',
    `loads` array<struct<run_id:string,reported_at:timestamp>> comment 'The runs.'
)
partitioned by (hour(received_at))
location 's3://lake-bucket/clickstream/events-new/'
tblproperties ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd');
