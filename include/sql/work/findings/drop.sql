-- The findings have been written to violations and discards. Parameters: run_id.
drop table if exists {{ t.findings(run_id) }}
