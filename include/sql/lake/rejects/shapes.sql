-- How many lines were rejected, for each reason, and what the newest looks like: every letter is x there and every
-- digit 0, so that nobody's data is in it. Those that were sent again do not count. Grain: one reason.
-- Parameters: staged_since.
select
    reason,
    count(*) as rejected_lines,
    count(distinct source_path) as objects,
    max(staged_at) as latest_at,
    max_by(regexp_replace(regexp_replace(substr(line, 1, 120), '\p{L}|\p{M}', 'x'), '\p{N}', '0'), staged_at) as shape
from {{ t.rejects }}
where
    staged_at >= {{ bind(staged_since) }}
    and redriven_at is null
group by reason
order by rejected_lines desc, reason asc
