-- From which key to which the messages of one batch are. Grain: one row; both NULL when there are none.
-- Parameters: run_id.
select
    min({{ keys.batch }}) as low,
    max({{ keys.batch }}) as high
from {{ t.batch(run_id) }}
