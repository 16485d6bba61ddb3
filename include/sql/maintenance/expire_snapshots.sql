-- Snapshots older than the retention go, and with them the way back to them; the current one always stays.
-- No parameter may be bound in this statement, so the duration is written out.
-- Grain: no rows. Parameters: altered (schema, name), retention.
alter table {{ t.evolving(altered) }}
execute expire_snapshots (retention_threshold => {{ duration_literal(retention) }})
