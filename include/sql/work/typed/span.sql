-- From which key to which the messages of one event are. Grain: one row; both NULL when there are none.
-- Parameters: run_id, event.
select
    min({{ keys.typed }}) as low,
    max({{ keys.typed }}) as high
from {{ t.typed_batch(run_id) }}
where table_name = {{ bind(event.table) }}
