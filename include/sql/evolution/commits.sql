-- What one query committed to a table; nothing when another change of the table has replaced it.
-- Grain: one snapshot. Parameters: snapshots (the name of Iceberg's own table about those of the table), query_id.
select snapshot_id
from {{ snapshots }}
where element_at(summary, 'trino_query_id') = {{ bind(query_id) }}
