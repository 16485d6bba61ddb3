{#- What one load reads out of its objects. -#}
{%- from "macros/archive.sql" import is_wanted -%}
{%- from "macros/lines.sql" import lines_of -%}
{%- from "macros/shapes.sql" import shape -%}
{%- from "macros/unpack.sql" import unpacked_lines -%}

{#- Every line of a manifest's objects as typed columns, or with the reason why it is rejected. Of the archive, whose
    objects hold whole days, or hours before and after, and Segment's more than went to Kinesis, only what the run is
    asked for. -#}
{%- macro batch_lines(t, manifest, archive_integration, events, bind, bind_each, quote, literal) -%}
with lines as (
    {{- lines_of(t, manifest, bind_each) }}
),

{{ unpacked_lines(t, events, quote, literal) }}

select
    uuid() as line_id,
    line_digest,
    reject_reason,
    if(
        reject_reason is null, {{ shape(["message", "context_members", "properties_members", "traits_members"]) }}
    ) as shape,
    if(reject_reason <> 'suppressed', from_utf8(to_utf8(line))) as rejected_line,
    discarded,
    cast(null as map (varchar, varchar)) as left_out,
{%- for column in events.columns %}
{{ quote(column.name) }}{{ "," if not loop.last }}
{%- endfor %}
from unpacked_lines
{%- if manifest.archived %}
where
    not is_archived
    or reject_reason is not null
    or {{ is_wanted(t, "message", manifest.received, archive_integration, bind, literal) }}
{%- endif %}
{%- endmacro -%}
