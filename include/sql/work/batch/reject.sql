{%- from "macros/lines.sql" import lines_of -%}
-- Makes rejected lines of those with which `events` cannot be written, in one commit.
-- Grain: one line. Parameters: manifest (with `failing`: these lines; without: all of its objects), reason, run_id.
merge into {{ t.batch_table(run_id) }} as target
using (
    with lines as (
        {{- lines_of(t, manifest, bind_each, set_aside=manifest.failing) }}
    ),

    -- What the engine said of each line.
    reasons as (
        select cast(json_parse({{ bind(manifest.failing_json) }}) as map (varchar, varchar)) as by_digest
    )

    select distinct
        lines.source_path,
        sha256(to_utf8(lines.line)) as line_digest,
        from_utf8(to_utf8(lines.line)) as line,
        coalesce(element_at(reasons.by_digest, to_hex(sha256(to_utf8(lines.line)))), {{ bind(reason) }}) as reason
    from lines
    cross join reasons
) as source
    on target.source_path = source.source_path and target.line_digest = source.line_digest
when matched and target.reject_reason is null then
    update
        set
            reject_reason = 'load_failed',
            rejected_line = source.line,
            shape = null,
            left_out = map(array['events'], array[source.reason])
