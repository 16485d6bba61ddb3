-- Lines that loads set aside, as a statement failed with them.
-- Grain: one line. Parameters: staged (when their objects were staged), line_limit.
select distinct to_hex(sha256(to_utf8(line))) as line_digest
from {{ t.rejects }}
where
    reason = 'load_failed'
    and line is not null
    and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
limit {{ bind(line_limit) }}
