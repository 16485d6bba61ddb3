-- The lines of one message of a batch. Grain: one line of one object. Parameters: run_id, message_key.
select distinct
    source_path,
    to_hex(line_digest) as line_digest
from {{ t.batch(run_id) }}
where {{ keys.batch }} = {{ bind(message_key) }}
