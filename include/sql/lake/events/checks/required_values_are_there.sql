-- Check (fail): a row has no message_id, received_at or source_path.
-- Of the whole table: Iceberg counts the NULLs of each file, so one select a column reads only files that have some.
-- Grain: one row of events and missing column. Parameters: none.
select
    'message_id' as missing_column,
    message_id,
    source_path,
    load_run_id
from {{ t.events }}
where message_id is null
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
where source_path is null
limit 20
