{%- from "macros/time.sql" import instant -%}
{#- Typed values out of a JSON value (Trino's json type). One bad value nulls itself, never its row.
    Each macro takes an SQL expression of type json and gives an SQL expression. -#}

{#- A string as it is; a number or boolean as its JSON text; NULL for anything else. -#}
{%- macro text(value) -%}
try_cast({{ value }} as varchar)
{%- endmacro -%}

{#- Whether a string has anything but white space. -#}
{%- macro has_text(text) -%}
regexp_like({{ text }}, '[^\s\p{Z}\x{85}]')
{%- endmacro -%}

{#- true, false, or those words in any case; NULL for anything else. -#}
{%- macro boolean_of(text) -%}
case lower({{ text }}) when 'true' then true when 'false' then false end
{%- endmacro -%}

{#- A finite number; NULL for anything else. -#}
{%- macro double_of(text) -%}
case
    when regexp_like({{ text }}, '^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$')
        and is_finite(try_cast({{ text }} as double))
        then try_cast({{ text }} as double)
end
{%- endmacro -%}

{#- The same of a JSON value, or of a string in one. -#}
{%- macro boolean(value) -%}
{{ boolean_of(text(value)) }}
{%- endmacro -%}

{#- A number, in a JSON value or in a string in one. -#}
{%- macro double(value) -%}
{{ double_of(text(value)) }}
{%- endmacro -%}

{#- JSON text of any value; SQL NULL for a JSON null. -#}
{%- macro json(value) -%}
nullif(json_format({{ value }}), 'null')
{%- endmacro -%}

{#- The members of an object; NULL for anything else. -#}
{%- macro members(value) -%}
try(cast({{ value }} as map (varchar, json)))
{%- endmacro -%}

{#- Whether an object has no object or array in it, told from its text without reading it; false too for some that have
    none, and for what is no object. -#}
{%- macro is_flat(value) -%}
coalesce(
    starts_with(json_format({{ value }}), '{')
    and strpos(json_format({{ value }}), ':{') = 0
    and strpos(json_format({{ value }}), ':[') = 0,
    false
)
{%- endmacro -%}

{#- The members of an object, each as text() gives it; NULL for anything else. Of a flat object in one go, which costs a
    third of reading each member by itself. A cast that fails is dear: none is tried that cannot succeed. -#}
{%- macro text_members(value, flat) -%}
case
    when {{ flat }} then try(cast({{ value }} as map (varchar, varchar)))
    when starts_with(json_format({{ value }}), '{')
        then transform_values(
            {{ members(value) }},
            (member_name, member) -> if(
                substr(json_format(member), 1, 1) in ('{', '['), null, try_cast(member as varchar)
            )
        )
end
{%- endmacro -%}

{#- JSON text without its strings, in linear time also where a string does not end. -#}
{%- macro without_strings(text) -%}
regexp_replace({{ text }}, '"(?:[^"\\]++|\\.?)*+"?', '')
{%- endmacro -%}

{#- Whether JSON text has a number with more than 2,000 digits in a row: to read it takes time by the square of its
    digits. The exact question is asked only where there are enough digits for it to matter. -#}
{%- macro has_long_number(text) -%}
case
    when length({{ text }}) <= 2000 then false
    when not regexp_like({{ text }}, '(?<![0-9])[0-9]{2001}') then false
    else regexp_like({{ without_strings(text) }}, '(?<![0-9])[0-9]{2001}')
end
{%- endmacro -%}

{#- JSON text as a value; NULL for what is none. Trino reads no exponent beyond 32 bits, nor one with many zeros before
    it: such a number is read again with an exponent that means the same to a double. -#}
{%- macro parsed(text) -%}
coalesce(
    try(json_parse({{ text }})),
    if(
        regexp_like({{ text }}, '[0-9][eE][+-]?[0-9]{8}'),
        try(
            json_parse(
                regexp_replace(
                    {{ text }},
                    '("(?:[^"\\]++|\\.)*+")|([0-9][eE][+-]?)0*+([0-9]{8,})',
                    part -> coalesce(part[1], part[2] || '9999999')
                )
            )
        )
    )
)
{%- endmacro -%}

{#- More than `limit` levels of arrays and objects. json_parse runs out of stack on very deep text, and TRY does not
    catch that. The exact count is taken only where there are enough brackets for it to matter. -#}
{%- macro deeper_than(line, limit) -%}
case
    when length({{ line }}) - length(replace(replace({{ line }}, '{', ''), '[', '')) <= {{ limit }} then false
    else reduce(
        regexp_extract_all({{ without_strings(line) }}, '[\[\]{}]'),
        0,
        (level, bracket) -> if(level > {{ limit }}, level, level + if(bracket in ('{', '['), 1, -1)),
        level -> level > {{ limit }}
    )
end
{%- endmacro -%}

{#- An object that was sent as a string is read one level deeper; anything else stays as it is. -#}
{%- macro opened(value) -%}
case
    when starts_with(json_format({{ value }}), '"')
        and not {{ deeper_than("cast(" ~ value ~ " as varchar)", 200) }}
        and not {{ has_long_number("cast(" ~ value ~ " as varchar)") }}
        and starts_with(json_format({{ parsed("cast(" ~ value ~ " as varchar)") }}), '{')
        then {{ parsed("cast(" ~ value ~ " as varchar)") }}
    else {{ value }}
end
{%- endmacro -%}

{#- A value by its type in columns.yaml. `text`: the value as text, where that is there already. -#}
{%- macro typed(value, type, text) -%}
{%- if type == "text" -%}{{ text }}
{%- elif type == "boolean" -%}{{ boolean_of(text) }}
{%- elif type == "double" -%}{{ double_of(text) }}
{%- elif type == "json" -%}{{ json(value) }}
{%- elif type == "object" -%}{{ json(opened(value)) }}
{%- elif type == "timestamp" -%}{{ instant(text) }}
{%- endif -%}
{%- endmacro -%}

{#- Text that is no JSON, but two or more JSON objects one after another: a newline is missing between them. -#}
{%- macro holds_several_objects(line) -%}
coalesce(
    cardinality(
        filter(
            try(cast({{ parsed("'[' || regexp_replace(" ~ line ~ ", '\\}(\\s*)\\{', '},{') || ']'") }} as array(json))),
            member -> starts_with(json_format(member), '{')
        )
    ) > 1,
    false
)
{%- endmacro -%}

{#- A value that is there but became NULL in its column, with the column's name and type; NULL when all is well. -#}
{%- macro discarded(typed, value, name, type) -%}
if(
    {{ typed }} is null and coalesce(json_format({{ value }}), 'null') <> 'null',
    cast(
        row({{ name }}, {{ type }}, json_format({{ value }}))
        as row(column_name varchar, wanted_type varchar, value varchar)
    )
)
{%- endmacro -%}
