/* clickstream 0a1b */
-- The lines of a run? Each once.
create or replace table "awsdatacatalog"."clickstream_work"."batch_1"
with (
    format = 'PARQUET',
    partitioning = array['bucket(table_name, 16)']
)
as
with lines as (
    select
        '? timestamp(6) with time zone' as table_name,
        cast(? as timestamp(6) with time zone) as received_at
    from "awsdatacatalog"."clickstream_lines"."lines"
    where "$path" in (?, ?)
)

select *
from lines
