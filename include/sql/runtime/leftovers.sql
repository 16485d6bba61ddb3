-- Queries of an earlier try of the same task that still run: their text carries the task's tag.
-- Grain: one query. Parameters: leftovers (a pattern with the tag).
select query_id
from system.runtime.queries
where
    state not in ('FINISHED', 'FAILED')
    and query like {{ bind(leftovers) }}
    and query not like '%system.runtime.queries%'
