-- Files that no snapshot names, older than the retention, go: a killed write leaves them. Younger ones may belong to a
-- write that still runs. No parameter may be bound in this statement, so the duration is written out.
-- Grain: one row a figure of what was deleted. Parameters: table (its name), retention.
alter table {{ t.lake(table) }} execute remove_orphan_files (retention_threshold => {{ duration_literal(retention) }})
