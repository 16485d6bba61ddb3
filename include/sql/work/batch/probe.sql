-- A table that is dropped at once, to see whether Trino can write to the lake. Named as a batch is, so that
-- maintain_tables drops it should the check be killed. Grain: one row. Parameters: run_id.
create table {{ t.batch_table(run_id) }} as
select 1 as probe
