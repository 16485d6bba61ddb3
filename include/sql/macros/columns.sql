{%- from "macros/json.sql" import members, text -%}
{#- Where the value of a column of `events` lies, over the CTEs of macros/unpack.sql. `column` is an entry of
    columns.yaml. -#}

{#- The value as JSON. -#}
{%- macro value_of(column) -%}
{%- set keys = column.keys -%}
{%- if column.type == "object" -%}{{ column.name }}_value
{%- elif keys[0] != "context" -%}element_at(message, {{ keys[0] | literal }})
{%- elif not column.is_nested -%}element_at(context_members, {{ keys[1] | literal }})
{%- else -%}element_at({{ members("element_at(context_members, " ~ keys[1] | literal ~ ")") }}, {{ keys[2] | literal }})
{%- endif -%}
{%- endmacro -%}

{#- The value as text: of a nested one much cheaper than out of its JSON. -#}
{%- macro text_of(column, quote) -%}
{%- if column.is_nested -%}element_at({{ quote(column.keys[1]) }}, {{ column.keys[2] | literal }})
{%- else -%}{{ text(value_of(column)) }}
{%- endif -%}
{%- endmacro -%}
