create table "clickstream_work"."batch_1"
with (
    table_type = 'ICEBERG',
    is_external = false,
    format = 'PARQUET',
    location = 's3://lake-bucket/clickstream_work/batch_1-new/'
)
as
select 1 as probe;
