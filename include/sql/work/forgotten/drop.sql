-- The person's rows are gone from every table. Grain: no rows. Parameters: run_id.
drop table if exists {{ t.forgotten(run_id) }}
