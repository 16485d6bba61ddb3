-- Notes on the lines of one message, or of some objects, that a step leaves them out, and why. Grain: one line.
-- Parameters: run_id, step, reason, message_key (or NULL), paths (of the objects; may be none).
merge into {{ t.batch_table(run_id) }} as target
using (
    select cast(map(array[{{ bind(step) }}], array[{{ bind(reason) }}]) as map (varchar, varchar)) as left_out
) as source
    on {{ keys.batch }} = {{ bind(message_key) }} or target.source_path in ({{ bind_each(paths or [none]) }})
when matched then
    update
        set left_out = map_concat(coalesce(target.left_out, cast(map() as map (varchar, varchar))), source.left_out)
