drop table if exists `clickstream_work`.`batch_1`;
/* clickstream 0a1b */
-- The lines of a run? Each once.
create table "clickstream_work"."batch_1"
with (
    table_type = 'ICEBERG',
    is_external = false,
    format = 'PARQUET',
    location = 's3://lake-bucket/clickstream_work/batch_1-new/',
    partitioning = array['bucket(table_name, 16)']
)
as
with lines as (
    select
        '? timestamp(6) with time zone' as table_name,
        cast(timestamp '2026-11-24 12:00:00.000000' as timestamp(6)) as received_at
    from "awsdatacatalog"."clickstream_lines"."lines"
    where "$path" in ('s3://b/staging/it''s', 's3://b/?')
)

select *
from lines;
