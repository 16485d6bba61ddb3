-- The next rejected lines that no redrive has put on the stream, oldest first.
-- Grain: one line of one staged object. Parameters: after (rejected_at and reject_id of the last row before), until.
select
    reject_id,
    reason,
    line,
    rejected_at
from {{ t.rejects }}
where
    redriven_at is null
    and line is not null
    and rejected_at < {{ bind(until) }}
    and (
        rejected_at > {{ bind(after.rejected_at) }}
        or (rejected_at = {{ bind(after.rejected_at) }} and reject_id > {{ bind(after.reject_id) }})
    )
order by rejected_at, reject_id
limit 500
