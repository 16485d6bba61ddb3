{%- from "macros/time.sql" import instant -%}
{#- Typed values out of a JSON value (Trino's json type). One bad value nulls itself, never its row.
    Each macro takes an SQL expression of type json and gives an SQL expression.
    Trino keeps what it has compiled for an expression, but not for one with a constant pattern, array or map: it takes
    no two of these for equal. So there are none where that can be avoided. -#}

{#- Nothing, as part of a pattern that few values come to: then it is no constant, and is compiled for each value. -#}
{%- macro nothing_of(text) -%}
substr({{ text }}, 1, 0)
{%- endmacro -%}

{#- An expression over a value that stands, and is worked out, once: the expression calls it by the name. -#}
{%- macro once(value, name) -%}
element_at(transform(array[{{ value }}], {{ name }} -> {{ caller() }}), 1)
{%- endmacro -%}

{#- A string as it is; a number or boolean as its JSON text; NULL for anything else. -#}
{%- macro text(value) -%}
try_cast({{ value }} as varchar)
{%- endmacro -%}

{%- set white_space = "\t\n\v\f\r \x85\xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    ~ "\u2009\u200a\u2028\u2029\u202f\u205f\u3000" -%}

{#- Whether a string has anything but white space. -#}
{%- macro has_text(text) -%}
translate({{ text }}, {{ white_space | literal }}, '') <> ''
{%- endmacro -%}

{#- true, false, or those words in any case; NULL for anything else. -#}
{%- macro boolean_of(text) -%}
case lower({{ text }}) when 'true' then true when 'false' then false end
{%- endmacro -%}

{#- Whether text has only characters of a number, as -12.5e+3 has, and none where only Trino takes it for one: +1, .5,
    5. and 5.e3. Such text is a number if a cast to double reads it; casts that fail are dear. -#}
{%- macro may_be_number(text) -%}
(
    translate({{ text }}, '0123456789.eE+-', '') = ''
    and substr({{ text }}, 1, 1) not in ('+', '.')
    and not starts_with({{ text }}, '-.')
    and strpos({{ text }}, '.e') = 0
    and strpos({{ text }}, '.E') = 0
    and substr({{ text }}, -1) <> '.'
)
{%- endmacro -%}

{#- A finite number; NULL for anything else. -#}
{%- macro double_of(text) -%}
case
    when {{ may_be_number(text) }}
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
{%- call once(text(value), "number_sent") -%}{{ double_of("number_sent") }}{%- endcall -%}
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
regexp_replace({{ text }}, '"(?:[^"\\]++|\\.?)*+"?' || {{ nothing_of(text) }}, '')
{%- endmacro -%}

{#- Whether JSON text has a number with more than 2,000 digits in a row: to read it takes time by the square of its
    digits. The exact question is asked only where there are enough digits for it to matter. `is_rare`: few values are
    asked about. -#}
{%- macro has_long_number(text, is_rare=false) -%}
{%- set pattern_end = " || " ~ nothing_of(text) if is_rare else "" -%}
case
    when length({{ text }}) <= 2000 then false
    when not regexp_like({{ text }}, '(?<![0-9])[0-9]{2001}'{{ pattern_end }}) then false
    else regexp_like({{ without_strings(text) }}, '(?<![0-9])[0-9]{2001}'{{ pattern_end }})
end
{%- endmacro -%}

{#- JSON text as a value; NULL for what is none. Trino reads no exponent beyond 32 bits, nor one with many zeros before
    it: such a number is read again with an exponent that means the same to a double. -#}
{%- macro parsed(text) -%}
coalesce(
    try(json_parse({{ text }})),
    if(
        regexp_like({{ text }}, '[0-9][eE][+-]?[0-9]{8}' || {{ nothing_of(text) }}),
        try(
            json_parse(
                regexp_replace(
                    {{ text }},
                    '("(?:[^"\\]++|\\.)*+")|([0-9][eE][+-]?)0*+([0-9]{8,})' || {{ nothing_of(text) }},
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
        regexp_extract_all({{ without_strings(line) }}, '[\[\]{}]' || {{ nothing_of(line) }}),
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
        and not {{ has_long_number("cast(" ~ value ~ " as varchar)", is_rare=true) }}
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
{%- elif type in ("json", "object") -%}{{ json(value) }}
{%- elif type == "timestamp" -%}{{ instant(text) }}
{%- endif -%}
{%- endmacro -%}

{#- Text with a comma between two objects of which one follows the other. -#}
{%- macro with_commas(line) -%}
regexp_replace({{ line }}, '\}(\s*)\{' || {{ nothing_of(line) }}, '},{')
{%- endmacro -%}

{#- Text that is no JSON, but two or more JSON objects one after another: a newline is missing between them. -#}
{%- macro holds_several_objects(line) -%}
coalesce(
    cardinality(
        filter(
            try(cast({{ parsed("'[' || " ~ with_commas(line) ~ " || ']'") }} as array(json))),
            member -> starts_with(json_format(member), '{')
        )
    ) > 1,
    false
)
{%- endmacro -%}

{#- JSON text of a value that became NULL in its column; NULL, or the text null, when all is well. -#}
{%- macro lost(typed, value) -%}
if({{ typed }} is null, json_format({{ value }}))
{%- endmacro -%}
