-- Ids of a person's messages, by which other tables refer to them. It outlives the rows themselves.
-- Grain: one message. Parameters: run_id.
create table if not exists {{ t.forgotten(run_id) }} (message_id varchar)
