-- The batch has been written to the tables that people query. Parameters: run_id.
drop table if exists {{ t.batch_table(run_id) }}
