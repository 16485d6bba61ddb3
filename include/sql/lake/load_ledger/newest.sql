-- When the newest object that a run loaded was staged; NULL when there is none in the time asked for. Objects of the
-- archive do not count: no stream brought them.
-- Grain: one row. Parameters: arrived_since, now.
select max(staged_at) as newest_staged_at
from {{ t.load_ledger }}
where
    staged_at between {{ bind(arrived_since) }} and {{ bind(now) }}
    and starts_with(source_path, {{ literal(t.staging_location) }})
