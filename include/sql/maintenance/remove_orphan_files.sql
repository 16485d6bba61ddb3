-- Files that no snapshot names, older than the retention, go: a killed write leaves them. Younger ones may belong to a
-- write that still runs. No parameter may be bound in this statement, so the duration is written out.
-- Grain: one row a figure of what was deleted. Parameters: altered (schema, name), retention.
alter table {{ t.evolving(altered) }}
execute remove_orphan_files (retention_threshold => {{ duration_literal(retention) }})
