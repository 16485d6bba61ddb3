-- The regions of one run have been modelled. Parameters: run_id.
drop table if exists {{ t.session_regions(run_id) }}
