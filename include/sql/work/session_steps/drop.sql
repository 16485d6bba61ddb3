-- The events of one run's regions have been made sessions. Parameters: run_id.
drop table if exists {{ t.session_steps(run_id) }}
