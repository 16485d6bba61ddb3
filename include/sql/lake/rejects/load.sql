{%- from "macros/archive.sql" import between_names, source_object -%}
-- Rejected lines of one batch, once each however often their object is loaded, and under how many names.
-- Grain: one line of one object. Parameters: run_id, now, staged (when their objects were staged).
merge into {{ t.rejects }} as target
using (
    -- A line that is twice in one object is two rejects, told apart by a number.
    with numbered_lines as (
        select
            source_path,
            staged_at,
            reject_reason,
            rejected_line,
            line_digest,
            row_number() over (partition by source_path, line_digest order by line_id) as occurrence
        from {{ t.batch(run_id) }}
        where
            reject_reason is not null
            and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
    ),

    -- The id of a line does not depend on the name under which its object was staged.
    identified_lines as (
        select
            *,
            to_hex(
                sha256(
                    to_utf8(
                        {{ source_object("source_path") }}
                        || '|' || to_hex(line_digest) || '|' || cast(occurrence as varchar)
                    )
                )
            ) as reject_id
        from numbered_lines
    )

    select
        reject_id,
        min_by(reject_reason, source_path) as reject_reason,
        min_by(rejected_line, source_path) as rejected_line,
        min(source_path) as source_path,
        min_by(staged_at, source_path) as staged_at
    from identified_lines
    group by reject_id
) as source
    on
        target.reject_id = source.reject_id
        and target.staged_at
        between {{ bind(staged.earliest) }} - {{ between_names() }}
        and {{ bind(staged.latest) }} + {{ between_names() }}
when not matched then
    insert (reject_id, reason, line, source_path, staged_at, rejected_at, load_run_id)
    values (
        source.reject_id,
        source.reject_reason,
        source.rejected_line,
        source.source_path,
        source.staged_at,
        {{ bind(now) }},
        {{ bind(run_id) }}
    )
