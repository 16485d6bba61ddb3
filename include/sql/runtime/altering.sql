-- Queries that change columns of some tables, or what is said of them, and still run. Trino compiles a filter with a
-- constant pattern each time: so the patterns end in nothing of the query's text.
-- Grain: one query. Parameters: altering (a regular expression for such a statement of these tables).
select query_id
from system.runtime.queries
where
    state not in ('FINISHED', 'FAILED')
    and regexp_like(query, {{ bind(altering) }} || substr(query, 1, 0))
    and not regexp_like(query, '(?i)^[^'']*\sexecute\s' || substr(query, 1, 0))
