{%- from "macros/changes.sql" import differs -%}
{%- from "macros/dedupe.sql" import first_lines -%}
{%- from "macros/time.sql" import within -%}
-- Events of one batch that the table does not have yet, in one commit. Of several lines with one message id the first
-- received is taken, then the first by path, then by digest of the line: the same one whatever the order of loading.
-- To derive rows again also updates those that differ; no row is ever removed.
-- Grain: one message. Parameters: run_id, now, manifest (rebuild), window (received_at of the part that is loaded),
-- bounds (received_at of what it can touch).
merge into {{ t.events }} as target
using (
    with first_lines as (
        {{ first_lines(t.batch(run_id)) }}
    )

    select
    {%- for column in events.columns %}
        batch.{{ quote(column.name) }}{{ "," if not loop.last }}
    {%- endfor %}
    from {{ t.batch(run_id) }} as batch
    inner join first_lines on batch.line_id = first_lines.line_id
    where batch.received_at between {{ bind(window.earliest) }} and {{ bind(window.latest) }}
) as source
    on
        target.message_id = source.message_id
        and {{ within("target.received_at", bounds, bind) }}
{% if manifest.rebuild -%}
when matched and {{ differs("source", "target", events, quote) }} then
    update
        set
            {%- for column in events.rebuilt %}
            {{ quote(column.name) }} = source.{{ quote(column.name) }},
            {%- endfor %}
            updated_at = {{ bind(now) }},
            update_run_id = {{ bind(run_id) }}
{% endif -%}
when not matched then insert (
    {%- for column in events.columns %}
    {{ quote(column.name) }},
    {%- endfor %}
    loaded_at,
    load_run_id
)
values (
    {%- for column in events.columns %}
    source.{{ quote(column.name) }},
    {%- endfor %}
    {{ bind(now) }},
    {{ bind(run_id) }}
)
