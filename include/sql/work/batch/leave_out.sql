-- Notes on the lines of one message, or of some objects, that a step leaves them out, and why. Grain: one line.
-- Parameters: run_id, step, reason, paths (of the objects; none: message_key).
merge into {{ t.batch_table(run_id) }} as target
using (
    select cast(map(array[{{ bind(step) }}], array[{{ bind(reason) }}]) as map (varchar, varchar)) as left_out
) as source
    on {{ "target.source_path in (" ~ bind_each(paths) ~ ")" if paths else keys.batch ~ " = " ~ bind(message_key) }}
when matched then
    update
        set left_out = map_concat(coalesce(target.left_out, cast(map() as map (varchar, varchar))), source.left_out)
