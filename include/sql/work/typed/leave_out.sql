-- Takes out one message with which the table of its event cannot be filled. Grain: one message.
-- Parameters: run_id, event, message_key.
merge into {{ t.typed_batch_table(run_id) }} as target
using (select {{ bind(message_key) }} as message_key) as source
    on target.table_name = {{ bind(event.table) }} and {{ keys.typed }} = source.message_key
when matched then delete
