-- The objects of which one batch has lines. Grain: one object. Parameters: run_id.
select distinct source_path
from {{ t.batch(run_id) }}
