-- The drafts of one run have been written to `sessions`. Parameters: run_id.
drop table if exists {{ t.session_drafts(run_id) }}
