{%- from "macros/json.sql" import deeper_than, discarded, has_text, holds_several_objects, json -%}
{%- from "macros/json.sql" import members, opened, text, typed -%}
{%- from "macros/archive.sql" import is_wanted, object_time -%}
{%- from "macros/lines.sql" import lines_of -%}
{%- from "macros/naming.sql" import slug -%}
{%- from "macros/shapes.sql" import shape -%}
-- One load's lines, read once: every line of its manifest as typed columns, or with the reason why it is rejected.
-- Everything else that the load writes is taken from here, so all of it agrees. Duplicates are still in it.
-- Of the archive, whose objects hold whole days and more than went to Kinesis, only what the run is asked for.
-- Grain: one line. Parameters: manifest, run_id, archive_integration.
create or replace table {{ t.batch(run_id) }}
with (format = 'PARQUET')
as
with lines as (
    {{- lines_of(t, manifest, bind_each) }}
),

-- Bytes that are no UTF-8 read as replacement characters; such a line is no JSON.
measured_lines as (
    select
        source_path,
        is_archived,
        from_utf8(to_utf8(line)) as line,
        sha256(to_utf8(line)) as line_digest,
        from_utf8(to_utf8(line)) = line as is_utf8,
        {{ deeper_than("line", 200) }} as is_too_deep
    from lines
),

documents as (
    select
        *,
        case when is_utf8 and not is_too_deep then try(json_parse(line)) end as document
    from measured_lines
),

messages as (
    select
        *,
        {{ members("document") }} as message
    from documents
),

contexts as (
    select
        *,
        element_at(message, 'messageId') as message_id_value,
        {{ opened("element_at(message, 'context')") }} as context_value
    from messages
),

context_members as (
    select
        *,
        {{ members("context_value") }} as context_member
    from contexts
),

nested_members as (
    select
        {%- for object in events.context_objects %}
        {{ members("element_at(context_member, '" ~ object ~ "')") }} as {{ quote(object) }},
        {%- endfor %}
        *
    from context_members
),

typed_messages as (
    select
        source_path,
        is_archived,
        line,
        line_digest,
        document,
        message,
        context_member,
        is_utf8,
        is_too_deep,
        {%- for object in events.context_objects %}
        {{ quote(object) }},
        {%- endfor %}
        {{ slug(text("element_at(message, 'event')")) }} as event,
        map_filter(
            message,
            (member_name, member) -> not contains(
                array[{{ events.top_level_keys | map("literal") | join(", ") }}], member_name
            )
        ) as extra_members,
        {{ shape("message", "context_member") }} as shape,
        {{ object_time("source_path") }} as staged_at,
        {%- for column in events.extracted if column.name != "message_id" %}
        {{ typed(column.value, column.type) }} as {{ quote(column.typed_name) }},
        {%- endfor %}
        case
            when json_format(message_id_value) in ('true', 'false') then null
            when {{ has_text(text("message_id_value")) }} then {{ text("message_id_value") }}
        end as message_id
    from nested_members
),

dated_messages as (
    select
        *,
        lower(sent_type) as type,
        {{ json("cast(extra_members as json)") }} as all_extras,
        coalesce(sent_received_at, staged_at) as received_at,
        coalesce(sent_timestamp, original_timestamp, sent_at, sent_received_at, staged_at) as "timestamp"
    from typed_messages
),

flagged_messages as (
    select
        *,
        nullif(all_extras, '{}') as extras,
        filter(
            array[
                {%- for column in events.discardable %}
                {{ discarded(
                    quote(column.typed_name), column.value, literal(column.name), literal(column.type)
                ) }}{{ "," if not loop.last }}
                {%- endfor %}
            ],
            item -> item is not null
        ) as discarded,
        "timestamp" < received_at - interval '24' hour as is_late,
        "timestamp" > received_at + interval '5' minute as is_future,
        case
            when not is_utf8 then 'not_json'
            when not {{ has_text("line") }} then 'blank'
            when is_too_deep then 'too_deep'
            when document is null and {{ holds_several_objects("line") }} then 'missing_newline'
            when document is null then 'not_json'
            when message is null then 'not_object'
            when message_id is null then 'no_message_id'
        end as reject_reason
    from dated_messages
)

select
    uuid() as line_id,
    line_digest,
    reject_reason,
    if(reject_reason is null, shape) as shape,
    if(reject_reason is not null, line) as rejected_line,
    discarded,
{%- for column in events.columns %}
{{ quote(column.name) }}{{ "," if not loop.last }}
{%- endfor %}
from flagged_messages
{%- if manifest.archived %}
where
    not is_archived
    or reject_reason is not null
    or {{ is_wanted("message", manifest.received, archive_integration, bind) }}
{%- endif %}
