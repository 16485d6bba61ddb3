-- Check (fail): a row that the run could touch has no message_id or source_path, or any row has no received_at.
-- Those without received_at are in one partition. One select a column: Iceberg counts the NULLs of each file.
-- Grain: one row of events and missing column. Parameters: bounds.
{%- from "macros/time.sql" import within %}
select
    'message_id' as missing_column,
    message_id,
    source_path,
    load_run_id
from {{ t.events }}
where
    message_id is null
    and {{ within("received_at", bounds, bind) }}
union all
select
    'received_at' as missing_column,
    message_id,
    source_path,
    load_run_id
from {{ t.events }}
where received_at is null
union all
select
    'source_path' as missing_column,
    message_id,
    source_path,
    load_run_id
from {{ t.events }}
where
    source_path is null
    and {{ within("received_at", bounds, bind) }}
limit 20
