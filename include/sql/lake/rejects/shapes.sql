-- How many lines were rejected, for each reason, when the first and the newest of them were staged, from which sources,
-- as JSON, and what the newest looks like: every letter is x there and every digit 0, so that nobody's data is in it.
-- What a line names as its source may be anything: only known ones are told. Those that were sent again do not count.
-- Grain: one reason. Parameters: staged_since, known_sources (a JSON list).
with rejected as (
    select
        reason,
        line,
        source_path,
        staged_at,
        regexp_extract(line, '"projectId"\s*:\s*"([^"]{1,100})"', 1) as named_source
    from {{ t.rejects }}
    where
        staged_at >= {{ bind(staged_since) }}
        and redriven_at is null
)

select
    reason,
    count(*) as rejected_lines,
    count(distinct source_path) as objects,
    min(staged_at) as first_at,
    max(staged_at) as latest_at,
    json_format(
        cast(
            array_agg(distinct named_source) filter (
                where contains(cast(json_parse({{ bind(known_sources) }}) as array(varchar)), named_source)
            ) as json
        )
    ) as sources,
    max_by(regexp_replace(regexp_replace(substr(line, 1, 120), '\p{L}|\p{M}', 'x'), '\p{N}', '0'), staged_at) as shape
from rejected
group by reason
order by rejected_lines desc, reason asc
