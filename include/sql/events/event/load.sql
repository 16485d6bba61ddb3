{%- from "macros/json.sql" import members -%}
{%- from "macros/properties.sql" import object_column, property, undeclared -%}
{%- from "macros/time.sql" import within -%}
-- The messages of one event that one run brought, in one commit: each of its messages in `events` is here once.
-- Grain: one message. Parameters: run_id, now, event (of the plan), window (received_at of its messages),
-- again (rows that are there already are written anew).
merge into {{ t.typed(event.table) }} as target
using (
    -- The members of `properties`, opened once for all columns, without the messages that the plan blocks.
    with messages as (
        select
            *,
            {{ members("try(json_parse(properties))") }} as {{ object_column(event, ()) }}
        from {{ t.typed_batch(run_id) }}
        where
            table_name = {{ bind(event.table) }}
            {%- if event.blocks %}
            and message_id not in (
                select findings.message_id
                from {{ t.findings(run_id) }} as findings
                where findings.rule <> 'discard' and findings.table_name = {{ bind(event.table) }}
            )
            {%- endif %}
    )
    {%- for keys in event.objects if keys %},

    -- The members of one object of it, from the step before.
    {{ object_column(event, keys) }}_messages as (
        select
            *,
            {{ members("element_at(" ~ object_column(event, keys[:-1]) ~ ", " ~ literal(keys[-1]) ~ ")") }}
                as {{ object_column(event, keys) }}
        from {{ "messages" if loop.first else object_column(event, event.objects[loop.index0]) ~ "_messages" }}
    )
    {%- endfor %}

    select
        {%- for column in event.common %}
        {{ quote(column.name) }},
        {%- endfor %}
        {%- for column in event.columns %}
        {{ property(
            "element_at(" ~ object_column(event, column.keys[:-1]) ~ ", " ~ literal(column.keys[-1]) ~ ")", column.type
        ) }} as {{ quote("property_" ~ column.name) }},
        {%- endfor %}
        nullif(json_format(cast({{ undeclared(event, ()) }} as json)), '{}') as extras
    from {{ object_column(event, event.objects[-1]) ~ "_messages" if event.objects | length > 1 else "messages" }}
) as source
    on
        target.message_id = source.message_id
        and target.received_at = source.received_at
        and {{ within("target.received_at", window, bind) }}
{%- if again %}
when matched then
update
    set
        {%- for column in event.columns %}
        {{ quote(column.name) }} = source.{{ quote("property_" ~ column.name) }},
        {%- endfor %}
        extras = source.extras,
        loaded_at = {{ bind(now) }},
        load_run_id = {{ bind(run_id) }}
{%- endif %}
when not matched then insert (
    {%- for column in event.common %}
    {{ quote(column.name) }},
    {%- endfor %}
    {%- for column in event.columns %}
    {{ quote(column.name) }},
    {%- endfor %}
    extras,
    loaded_at,
    load_run_id
)
values (
    {%- for column in event.common %}
    source.{{ quote(column.name) }},
    {%- endfor %}
    {%- for column in event.columns %}
    source.{{ quote("property_" ~ column.name) }},
    {%- endfor %}
    source.extras,
    {{ bind(now) }},
    {{ bind(run_id) }}
)
