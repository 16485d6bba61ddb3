{%- from "macros/archive.sql" import object_time -%}
{%- from "macros/columns.sql" import text_of, value_of -%}
{%- from "macros/json.sql" import deeper_than, has_long_number, has_text, holds_several_objects, is_flat, json -%}
{%- from "macros/json.sql" import lost, members, opened, parsed, text, text_members, typed -%}
{%- from "macros/naming.sql" import slug -%}
{%- from "macros/suppressed.sql" import is_suppressed, suppressed_ids -%}
{%- from "macros/time.sql" import instant -%}
{#- Lines as typed columns: the one place where a message is read.
    Trino goes through each expression dozens of times while it plans, longer than a small load takes to read. So what
    is done with many columns stands once, in a lambda over an array of them. -#}

{#- The values of some columns that did not fit, as an array of `column,type,value`. Trino makes one Java method of an
    expression, and TRY makes one of each part: with parts of 8 columns, reading a batch took about a tenth less CPU
    than with all in one. -#}
{%- macro lost_values(columns, quote, literal) -%}
try(
    array[
        {%- for column in columns %}
        {{ literal(column.name ~ "," ~ column.type ~ ",") }} || {{ lost(quote(column.typed_name), value_of(column)) }}
        {{- "," if not loop.last }}
        {%- endfor %}
    ]
)
{%- endmacro -%}

{#- Rows (column_name, wanted_type, value) of such values, but for JSON nulls. -#}
{%- macro discarded_of() -%}
transform(
    filter({{ caller() }}, item -> substr(item, -5) <> ',null'),
    item -> cast(
        row(split_part(item, ',', 1), split_part(item, ',', 2), substr(item, strpos(item, ',', 2) + 1))
        as row(column_name varchar, wanted_type varchar, value varchar)
    )
)
{%- endmacro -%}

{#- CTEs that follow one named `lines` (source_path, line, is_archived) and end with `unpacked_lines`: each line typed,
    or with the reason why it is rejected. `events` are the columns of that table. -#}
{%- macro unpacked_lines(t, events, quote, literal) -%}
{%- set objects = events.extracted | selectattr("type", "equalto", "object") | list -%}
{%- set instants = events.extracted | selectattr("type", "equalto", "timestamp") | list -%}
{{ suppressed_ids(t) }},

-- What is dangerous or dear to parse is told from the text.
measured_lines as (
    select
        source_path,
        is_archived,
        line,
        suppressed,
        sha256(to_utf8(line)) as line_digest,
        {{ deeper_than("line", 200) }} as is_too_deep,
        {{ has_long_number("line") }} as has_long_number
    from lines
    cross join suppressed_ids
),

-- Parsed once, unless that would exhaust the stack or take too long.
parsed_lines as (
    select
        *,
        if(not is_too_deep and not has_long_number, {{ parsed("line") }}) as parsed
    from measured_lines
),

-- Bytes that are no UTF-8 read as replacement characters; a line with some is no JSON. Nearly no line has such a
-- character, which is quickly seen.
documents as (
    select
        *,
        if(strpos(json_format(parsed), chr(65533)) = 0 or from_utf8(to_utf8(line)) = line, parsed) as document
    from parsed_lines
),

-- NULL where the document is no object.
sent_messages as (
    select
        *,
        {{ members("document") }} as sent_message
    from documents
),

judged_messages as (
    select
        *,
        {{ is_suppressed("sent_message") }} as is_suppressed
    from sent_messages
),

-- Of a person whose data was erased, nothing is read.
messages as (
    select
        *,
        if(not is_suppressed, sent_message) as message
    from judged_messages
),

-- An object that was sent as a string is read as the object in it.
opened_objects as (
    select
        *,
        transform(
            array[
                {%- for column in objects %}
                element_at(message, {{ column.source | literal }}){{ "," if not loop.last }}
                {%- endfor %}
            ],
            sent_object -> {{ opened("sent_object") }}
        ) as opened_object
    from messages
),

sent_values as (
    select
        *,
        element_at(message, 'messageId') as message_id_value,
        {{ text("element_at(message, 'messageId')") }} as message_id_text,
        {%- for column in objects %}
        element_at(opened_object, {{ loop.index }}) as {{ value_of(column) }}{{ "," if not loop.last }}
        {%- endfor %}
    from opened_objects
),

object_members as (
    select
        *,
        {%- for column in objects %}
        {{ members(value_of(column)) }} as {{ column.name }}_members{{ "," if not loop.last }}
        {%- endfor %}
    from sent_values
),

-- Which objects of the context can be read in one go.
nested_objects as (
    select
        {%- for object in events.context_objects %}
        {{ is_flat("element_at(context_members, '" ~ object ~ "')") }} as {{ quote(object ~ "_is_flat") }},
        {%- endfor %}
        *
    from object_members
),

-- Their members as text: the columns of one object share one cast.
nested_members as (
    select
        {%- for object in events.context_objects %}
        {{ text_members("element_at(context_members, '" ~ object ~ "')", quote(object ~ "_is_flat")) }}
            as {{ quote(object) }},
        {%- endfor %}
        *
    from nested_objects
),

-- Its instants, in the order of their columns.
read_instants as (
    select
        *,
        transform(
            array[
                {%- for column in instants %}
                {{ text_of(column, quote) }}{{ "," if not loop.last }}
                {%- endfor %}
            ],
            instant_text -> {{ instant("instant_text") }}
        ) as instants
    from nested_members
),

-- Each value in the type of its column, NULL where it does not fit.
typed_messages as (
    select
        source_path,
        is_archived,
        line,
        line_digest,
        document,
        message,
        {%- for column in objects %}
        {{ column.name }}_members,
        {%- endfor %}
        is_too_deep,
        has_long_number,
        is_suppressed,
        {%- for object in events.context_objects %}
        {{ quote(object) }},
        {{ quote(object ~ "_is_flat") }},
        {%- endfor %}
        {{ slug(text("element_at(message, 'event')")) }} as event,
        map_filter(
            message,
            (member_name, member) -> member_name not in ({{ events.top_level_keys | map("literal") | join(", ") }})
        ) as extra_members,
        {{ object_time("source_path") }} as staged_at,
        {%- for column in events.extracted if column.name != "message_id" %}
        {{ "element_at(instants, " ~ (instants.index(column) + 1) ~ ")" if column in instants
            else typed(value_of(column), column.type, text_of(column, quote)) }} as {{ quote(column.typed_name) }},
        {%- endfor %}
        case
            when json_format(message_id_value) in ('true', 'false') then null
            when {{ has_text("message_id_text") }} then message_id_text
        end as message_id
    from read_instants
),

-- The instants of a message that does not tell them, and whether values were lost, or those of nested objects may be.
dated_messages as (
    select
        *,
        {%- for part in events.discardable | rejectattr("is_nested") | batch(8) %}
        coalesce(
            {%- for column in part %}
            nullif({{ lost(quote(column.typed_name), value_of(column)) }}, 'null'),
            {%- endfor %}
            null
        ) is not null as has_lost_{{ loop.index }},
        {%- endfor %}
        lower(sent_type) as type,
        {{ json("cast(extra_members as json)") }} as all_extras,
        coalesce(sent_received_at, staged_at) as received_at,
        coalesce(sent_timestamp, original_timestamp, sent_at, sent_received_at, staged_at) as "timestamp",
        {%- for column in events.discardable if column.is_nested and column.type != "text" %}
        ({{ text_of(column, quote) }} is not null and {{ quote(column.typed_name) }} is null)
        or
        {%- endfor %}
        {%- for object in events.context_objects %}
        ({{ quote(object) }} is not null and not {{ quote(object ~ "_is_flat") }}){{ " or" if not loop.last }}
        {%- endfor %} as may_lose_members
    from typed_messages
),

-- What did not fit its column, and why a line is no message.
unpacked_lines as (
    select
        *,
        nullif(all_extras, '{}') as extras,
        if(
            {%- for part in events.discardable | rejectattr("is_nested") | batch(8) %}
            has_lost_{{ loop.index }} or
            {%- endfor %}
            may_lose_members,
            {% call discarded_of() -%}
            flatten(
                array[
                    {%- for part in events.discardable | rejectattr("is_nested") | batch(8) %}
                    {{ lost_values(part, quote, literal) }},
                    {%- endfor %}
                    {%- for part in events.discardable | selectattr("is_nested") | batch(8) %}
                    if(may_lose_members, {{ lost_values(part, quote, literal) }}){{ "," if not loop.last }}
                    {%- endfor %}
                ]
            )
            {%- endcall %}
        ) as discarded,
        "timestamp" < received_at - interval '24' hour as is_late,
        "timestamp" > received_at + interval '5' minute as is_future,
        case
            when message_id is not null then null
            when is_suppressed then 'suppressed'
            when document is not null then if(message is null, 'not_object', 'no_message_id')
            when from_utf8(to_utf8(line)) <> line then 'not_json'
            when not {{ has_text("line") }} then 'blank'
            when is_too_deep then 'too_deep'
            when has_long_number then 'number_too_long'
            when {{ holds_several_objects("line") }} then 'missing_newline'
            else 'not_json'
        end as reject_reason
    from dated_messages
)
{%- endmacro -%}
