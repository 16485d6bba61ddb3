-- Whether the user may see queries, as a task that is tried again must: it ends what its earlier try left running.
-- Grain: one row.
select count(*) as queries from system.runtime.queries
