-- The messages have been written to the tables of their events. Parameters: run_id.
drop table if exists {{ t.typed_batch_table(run_id) }}
