-- A message of one event. Grain: one row; NULL when there is none. Parameters: run_id, event.
select min(message_id) as message_id
from {{ t.typed_batch(run_id) }}
where table_name = {{ bind(event.table) }}
