-- Queries that change columns of a table, or what is said of them, and still run.
-- Grain: one query. Parameters: altering (a regular expression for such a statement of this table).
select query_id
from system.runtime.queries
where
    state not in ('FINISHED', 'FAILED')
    and regexp_like(query, {{ bind(altering) }})
    and not regexp_like(query, '(?i)^[^'']*\sexecute\s')
