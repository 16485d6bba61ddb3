{%- from "macros/json.sql" import boolean, double, double_of, json, may_be_number, members, nothing_of, once, text -%}
{%- from "macros/time.sql" import form_of, instant -%}
{#- Values of properties as the tracking plan's column types. Each takes an SQL expression of type json. -#}

{#- JSON text of `events` in which a number that was sent with a fraction or an exponent stays a double when it is
    parsed again. One from 2^53 on is written there as d.ddd...E15 or E16; with no digit left after its point,
    json_parse() takes it for a whole number. With a zero more it has one. -#}
{%- macro with_doubles(text) -%}
if(
    strpos({{ text }}, 'E15') > 0 or strpos({{ text }}, 'E16') > 0,
    regexp_replace(
        {{ text }},
        '("(?:[^"\\]++|\\.)*+")|(\.[0-9]{15})(E15)|(\.[0-9]{16})(E16)' || {{ nothing_of(text) }},
        part -> coalesce(part[1], part[2] || '0' || part[3], part[4] || '0' || part[5])
    ),
    {{ text }}
)
{%- endmacro -%}

{#- A number as json_format() writes it: a member of an object with a fraction or an exponent is a double, whose
    exponent has no plus. Of a string what it says, exact: json_parse() writes an exponent out, or with a plus. -#}
{%- macro number_text(value) -%}
if(
    starts_with(json_format({{ value }}), '"'),
    {% call once(text(value), "number_sent") -%}
    case
        when strpos(translate(number_sent, 'E', 'e'), 'e') > 0
            and {{ may_be_number("number_sent") }}
            and regexp_like(
                number_sent,
                '^-?[0-9]{1,500}(\.[0-9]{1,400})?[eE][+-]?[0-9]{1,9}$' || {{ nothing_of("number_sent") }}
            )
            then json_format(
                try(
                    json_parse(
                        regexp_replace(number_sent, '^(-?)0+([0-9])' || {{ nothing_of("number_sent") }}, '$1$2')
                    )
                )
            )
        else number_sent
    end
    {%- endcall %},
    json_format({{ value }})
)
{%- endmacro -%}

{#- Whether a number in that form is a double that does not tell which whole number it was. -#}
{%- macro is_rounded(sent) -%}
(strpos({{ form_of(sent) }}, 'E0') > 0 and abs(try_cast({{ sent }} as double)) >= 9007199254740992)
{%- endmacro -%}

{#- Whether it is one with digits alone, but for a minus and a point. -#}
{%- macro is_written_out(sent) -%}
(
    translate({{ sent }}, '0123456789', '') in ('', '-', '.', '-.')
    and strpos({{ sent }}, '-') <= 1
    and translate(substr({{ sent }}, -1), '0123456789', '') = ''
    and substr({{ sent }}, 1, 1) <> '.'
    and not starts_with({{ sent }}, '-.')
)
{%- endmacro -%}

{#- Whether it is one with an exponent after an E. -#}
{%- macro has_exponent(sent) -%}
(
    strpos({{ sent }}, 'E') > 0
    and strpos({{ sent }}, 'e') = 0
    and {{ may_be_number(sent) }}
    and try_cast({{ sent }} as double) is not null
)
{%- endmacro -%}

{#- A whole number in whatever form it is written, or a string that spells one; NULL for anything else, and for what 64
    bits or a double do not hold. -#}
{%- macro bigint(value) -%}
{% call once(number_text(value), "sent") -%}
case
    when {{ is_written_out("sent") }}
        then if(
            translate(coalesce(split_part(sent, '.', 2), ''), '0', '') = '',
            try_cast(split_part(sent, '.', 1) as bigint)
        )
    when not {{ has_exponent("sent") }} then null
    when translate(substr(sent, 1, strpos(sent, 'E') - 1), '0', '') in ('', '-', '.', '-.') then bigint '0'
    when {{ form_of("substr(sent, strpos(sent, 'E'))") }} in ('E0', 'E00', 'E+0', 'E+00')
        and not {{ is_rounded("sent") }}
        and try_cast(sent as double) = floor(try_cast(sent as double))
        then try_cast(try_cast(sent as decimal(38, 0)) as bigint)
end
{%- endcall %}
{%- endmacro -%}

{#- A number with a fixed count of decimals, further ones rounded half up, or a string that spells one. Trino writes all
    digits of an exponent out, so one of more than three digits is told by a double: too large, or as good as 0. Text of
    more than 1,000 characters does not fit, nor what a double does not hold. -#}
{%- macro decimal(value, type) -%}
{% call once(number_text(value), "sent") -%}
case
    when length(sent) > 1000 or {{ is_rounded("sent") }} then null
    when {{ is_written_out("sent") }} then try_cast(sent as {{ type }})
    when {{ has_exponent("sent") }}
        and length(ltrim(translate(substr(sent, strpos(sent, 'E') + 1), '0+-', ' '))) <= 3
        then try_cast(sent as {{ type }})
    else try_cast({{ double_of("sent") }} as {{ type }})
end
{%- endcall %}
{%- endmacro -%}

{#- A day, YYYY-MM-DD, as text; of the years 1 to 9999, which every client can read. -#}
{%- macro day_of(text) -%}
case
    when {{ form_of(text) }} = '0000-00-00' and substr({{ text }}, 1, 4) <> '0000' then try_cast({{ text }} as date)
end
{%- endmacro -%}

{#- A day in a string. -#}
{%- macro day(value) -%}
{%- call once(text(value), "day_sent") -%}{{ day_of("day_sent") }}{%- endcall -%}
{%- endmacro -%}

{#- A list of which each item is NULL or fits its type; NULL if one does not fit. -#}
{%- macro array_of(value, type) -%}
case
    when none_match(
        try(cast({{ value }} as array(json))),
        item -> json_format(item) <> 'null' and {{ property("item", type) }} is null
    )
        then transform(cast({{ value }} as array(json)), item -> {{ property("item", type) }})
end
{%- endmacro -%}

{#- The member of an object, as the field of a row. -#}
{%- macro field(object, name, type) -%}
{{ property("element_at(" ~ object ~ ", " ~ name | literal ~ ")", type) }}
{%- endmacro -%}

{#- An object as a row: each field is the member of exactly its name, NULL where there is none; NULL if one does not
    fit. `object` is a map of members. -#}
{%- macro row_of(object, type) -%}
if(
    {{ object }} is not null
    {%- for name, kind in type.fields %}
    and (
        coalesce(json_format(element_at({{ object }}, {{ name | literal }})), 'null') = 'null'
        or {{ field(object, name, kind) }} is not null
    )
    {%- endfor %},
    cast(
        row(
            {%- for name, kind in type.fields %}
            {{ field(object, name, kind) }}{{ "," if not loop.last }}
            {%- endfor %}
        ) as {{ type.item }}
    )
)
{%- endmacro -%}

{#- A list of which each item is NULL or an object that fits; NULL if one does not fit. -#}
{%- macro rows_of(value, type) -%}
case
    when none_match(
        try(cast({{ value }} as array(map (varchar, json)))),
        item -> item is not null and {{ row_of("item", type) }} is null
    )
        then transform(cast({{ value }} as array(map (varchar, json))), item -> {{ row_of("item", type) }})
end
{%- endmacro -%}

{#- The value of a column by its type in the plan; NULL where it does not fit. -#}
{%- macro property(value, type) -%}
{%- if type == "varchar" -%}{{ text(value) }}
{%- elif type == "boolean" -%}{{ boolean(value) }}
{%- elif type == "double" -%}{{ double(value) }}
{%- elif type == "bigint" -%}{{ bigint(value) }}
{%- elif type == "date" -%}{{ day(value) }}
{%- elif type == "timestamp" -%}
    {%- call once(text(value), "instant_sent") -%}{{ instant("instant_sent") }}{%- endcall -%}
{%- elif type == "json" -%}{{ json(value) }}
{%- elif type == "object" -%}{{ members(value) }}
{%- elif type.startswith("decimal") -%}{{ decimal(value, type) }}
{%- elif (type | column_type).fields -%}{{ rows_of(value, type | column_type) }}
{%- else -%}{{ array_of(value, (type | column_type).item) }}
{%- endif -%}
{%- endmacro -%}

{#- The column that holds the members of the object at `keys` of an event's properties. -#}
{%- macro object_column(event, keys) -%}
object_{{ event.objects.index(keys) }}
{%- endmacro -%}

{#- What an event's plan does not declare in the object at `keys`, as a map; null members are left out. NULL where there
    is no such object. -#}
{%- macro undeclared(event, keys) -%}
{%- set inner_objects = event.objects_in(keys) -%}
{{ "map_concat(" if inner_objects }}
    map_filter(
        {{ object_column(event, keys) }},
        (member_name, member) -> coalesce(json_format(member), 'null') <> 'null'
        {%- if event.declared_below(keys) %}
        and member_name not in ({{ event.declared_below(keys) | map("literal") | join(", ") }})
        {%- endif %}
    )
    {%- for inner in inner_objects %},
    map_filter(
        map_from_entries(array[row({{ inner[-1] | literal }}, cast({{ undeclared(event, inner) }} as json))]),
        (member_name, member) -> json_format(member) <> '{}'
    )
    {%- endfor %}
{{ ")" if inner_objects }}
{%- endmacro -%}

{#- All values at a path of a JSON document; [] stands for each item of an array. -#}
{%- macro values_at(document, path) -%}
reduce(
    {{ path }},
    array[{{ document }}],
    (found, step) -> flatten(
        transform(
            found,
            value -> if(
                step = '[]',
                try_cast(value as array(json)),
                map_values(
                    map_filter(try_cast(value as map (varchar, json)), (member_name, member) -> member_name = step)
                )
            )
        )
    ),
    found -> found
)
{%- endmacro -%}

{#- The JSON Schema type of a value; a number without a fraction is an integer. -#}
{%- macro json_kind(value) -%}
case substr(json_format({{ value }}), 1, 1)
    when '{' then 'object'
    when '[' then 'array'
    when '"' then 'string'
    when 't' then 'boolean'
    when 'f' then 'boolean'
    when 'n' then 'null'
    else if(
        try_cast(json_format({{ value }}) as double) = floor(try_cast(json_format({{ value }}) as double)),
        'integer',
        'number'
    )
end
{%- endmacro -%}

{#- Whether two JSON texts of one kind say the same value: numbers by value, as JSON Schema has it. Whole numbers are
    compared by their digits, of which a double loses some. -#}
{%- macro is_same_value(one, other, kind) -%}
(
    {{ one }} = {{ other }}
    or case {{ kind }}
        when 'integer' then {{ is_same_number(one, other) }}
        when 'number' then {{ is_same_number(one, other) }}
        when 'array' then {{ numbers_by_value(one) }} = {{ numbers_by_value(other) }}
        when 'object' then {{ numbers_by_value(one) }} = {{ numbers_by_value(other) }}
        else false
    end
)
{%- endmacro -%}

{#- Whether two texts of numbers that differ say one number: at least one has a fraction or an exponent. -#}
{%- macro is_same_number(one, other) -%}
(translate({{ one }}, '.eE', '') <> {{ one }} or translate({{ other }}, '.eE', '') <> {{ other }})
and coalesce(try_cast({{ one }} as double) = try_cast({{ other }} as double), false)
{%- endmacro -%}

{#- JSON text with each number that has a fraction or an exponent in one form, a whole one as its digits. -#}
{%- macro numbers_by_value(text) -%}
regexp_replace(
    {{ text }},
    '("(?:[^"\\]++|\\.)*+")|(-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)' || {{ nothing_of(text) }},
    part -> coalesce(
        part[1],
        if(
            translate(part[2], '.eE', '') <> part[2],
            if(
                abs(cast(part[2] as double)) < 9007199254740992
                and cast(part[2] as double) = floor(cast(part[2] as double)),
                cast(cast(cast(part[2] as double) as bigint) as varchar),
                cast(cast(part[2] as double) as varchar)
            ),
            if(part[2] = '-0', '0', part[2])
        )
    )
)
{%- endmacro -%}

{%- set letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" -%}

{#- Whether text has the format that JSON Schema names. -#}
{%- macro has_format(text, format) -%}
case {{ format }}
    when 'date-time'
        then {{ instant("upper(" ~ text ~ ")") }} is not null
            and substr({{ text }}, 11, 1) in ('T', 't')
            and (
                substr({{ text }}, -1) in ('Z', 'z')
                or (substr({{ text }}, -6, 1) in ('+', '-') and substr({{ text }}, -3, 1) = ':')
            )
    when 'date'
        then {{ day_of(text) }} is not null
    when 'email'
        then strpos({{ text }}, '@') between 2 and length({{ text }}) - 1
            and translate({{ text }}, {{ "@ \t\n\v\f\r" | literal }}, '') = replace({{ text }}, '@', '')
            and length({{ text }}) - length(replace({{ text }}, '@', '')) = 1
    when 'uri'
        then translate(substr({{ text }}, 1, 1), {{ letters | literal }}, '') = ''
            and strpos({{ text }}, ':') between 2 and length({{ text }}) - 1
            and translate(split_part({{ text }}, ':', 1), {{ (letters ~ "0123456789+.-") | literal }}, '') = ''
            and translate({{ text }}, {{ " \t\n\v\f\r" | literal }}, '') = {{ text }}
    when 'uuid'
        then translate({{ text }}, '123456789abcdefABCDEF', '000000000000000000000')
            = '00000000-0000-0000-0000-000000000000'
end
{%- endmacro -%}
