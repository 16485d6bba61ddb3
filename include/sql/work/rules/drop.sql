-- The rules have been applied. Parameters: run_id.
drop table if exists {{ t.rules(run_id) }}
