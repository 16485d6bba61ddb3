-- Notes on the lines of one message that a step leaves them out, and why. Grain: one line.
-- Parameters: run_id, message_key, step, reason.
merge into {{ t.batch_table(run_id) }} as target
using (
    select
        {{ bind(message_key) }} as message_key,
        cast(map(array[{{ bind(step) }}], array[{{ bind(reason) }}]) as map (varchar, varchar)) as left_out
) as source
    on {{ keys.batch }} = source.message_key
when matched then
    update
        set left_out = map_concat(coalesce(target.left_out, cast(map() as map (varchar, varchar))), source.left_out)
