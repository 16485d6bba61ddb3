{#- Whether a row of events would change if it were rebuilt. -#}

{#- Whether what was read differs from the row that has its message id. Where and when it was staged is not compared:
    the archive has the same message elsewhere. A message of another receipt is a duplicate and changes nothing. -#}
{%- macro differs(source, target, columns, quote) -%}
{{ source }}.received_at = {{ target }}.received_at
and row(
    {%- for column in columns.rebuilt %}
    {{ source }}.{{ quote(column.name) }}{{ "," if not loop.last }}
    {%- endfor %}
) is distinct from row(
    {%- for column in columns.rebuilt %}
    {{ target }}.{{ quote(column.name) }}{{ "," if not loop.last }}
    {%- endfor %}
)
{%- endmacro -%}
