-- A batch table that a failed run left behind. Parameters: batch_table (its name).
drop table if exists {{ t.stray_batch(batch_table | string) }}
