-- Check (warn): the run met an object that cannot be read and set it aside.
-- Grain: one object. Parameters: run_id.
select
    source_path,
    copy_path,
    bytes
from {{ t.quarantine }}
where load_run_id = {{ bind(run_id) }}
order by source_path
limit 20
