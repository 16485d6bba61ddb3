{#- Whose a row is. `rule` is clickstream.erase.tables.Rule, `ids` the ids of a person, `quoted_json` each of them as a
    JSON string, in a list. No code grows with the ids and the columns: Trino compiles only so much of it. -#}

{#- The texts of these columns. -#}
{%- macro texts(columns, quote) -%}
array[{% for column in columns %}{{ ", " if not loop.first }}{{ quote(column) }}{% endfor %}]
{%- endmacro -%}

{#- Whether a text is one of the ids, or has the digest of one that only an earlier run knew. -#}
{%- macro is_id(text, ids, earlier, bind_each) -%}
{{ text }} in ({{ bind_each(ids) }})
{%- if earlier %} or to_hex(sha256(to_utf8({{ text }}))) in ({{ bind_each(earlier) }}){% endif %}
{%- endmacro -%}

{#- Whether one of these columns is. -#}
{%- macro has_id(columns, ids, earlier, quote, bind_each) -%}
any_match({{ texts(columns, quote) }}, id -> {{ is_id("id", ids, earlier, bind_each) }})
{%- endmacro -%}

{#- Whether a text has one of the ids in it as a JSON string. -#}
{%- macro has_quoted_id(text, quoted_json, bind) -%}
any_match(cast(json_parse({{ bind(quoted_json) }}) as array(varchar)), form -> strpos({{ text }}, form) > 0)
{%- endmacro -%}

{#- Whether a row is of the person: by its ids, by a line that it keeps, or as its message is. -#}
{%- macro is_of_person(t, run_id, rule, ids, earlier, quoted_json, quote, bind, bind_each) -%}
(
    {%- if rule.id_columns %}
    {{ has_id(rule.id_columns, ids, earlier, quote, bind_each) }}
    {%- endif %}
    {%- if rule.line_column %}
    {{ "or " if rule.id_columns }}{{ has_quoted_id(quote(rule.line_column), quoted_json, bind) }}
    {%- endif %}
    {%- if rule.by_message %}
    {{ "or " if rule.id_columns or rule.line_column -}}
    message_id in (select forgotten.message_id from {{ t.forgotten(run_id) }} as forgotten)
    {%- endif %}
)
{%- if rule.blank %}
and {{ quote(rule.blank) }} is not null
{%- endif %}
{%- endmacro -%}
