{%- from "macros/archive.sql" import object_time -%}
{%- from "macros/lines.sql" import lines_of -%}
-- The lines with which unpacking fails, as rejected ones: they are not unpacked.
-- Grain: one line. Parameters: manifest (with `failing`), run_id.
insert into {{ t.batch_table(run_id) }} (
    line_id, line_digest, reject_reason, rejected_line, left_out, source_path, staged_at
)
with lines as (
    {{- lines_of(t, manifest, bind_each, set_aside=true) }}
),

-- What the engine said of each line.
reasons as (
    select cast(json_parse({{ bind(manifest.failing_json) }}) as map (varchar, varchar)) as by_digest
)

select
    uuid() as line_id,
    sha256(to_utf8(lines.line)) as line_digest,
    'load_failed' as reject_reason,
    from_utf8(to_utf8(lines.line)) as rejected_line,
    map(array['unpack'], array[element_at(reasons.by_digest, to_hex(sha256(to_utf8(lines.line))))]) as left_out,
    lines.source_path,
    {{ object_time("lines.source_path") }} as staged_at
from lines
cross join reasons
