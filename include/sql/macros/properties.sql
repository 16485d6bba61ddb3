{%- from "macros/json.sql" import boolean, double, double_of, json, members, text -%}
{%- from "macros/time.sql" import instant -%}
{#- Values of properties as the tracking plan's column types. Each takes an SQL expression of type json. -#}

{#- JSON text of `events` in which a number that was sent with a fraction or an exponent stays a double when it is
    parsed again. One from 2^53 on is written there as d.ddd...E15 or E16; with no digit left after its point,
    json_parse() takes it for a whole number. With a zero more it has one. -#}
{%- macro with_doubles(text) -%}
if(
    regexp_like({{ text }}, '\.([0-9]{15}E15|[0-9]{16}E16)'),
    regexp_replace(
        {{ text }},
        '("(?:[^"\\]++|\\.)*+")|(\.[0-9]{15})(E15)|(\.[0-9]{16})(E16)',
        part -> coalesce(part[1], part[2] || '0' || part[3], part[4] || '0' || part[5])
    ),
    {{ text }}
)
{%- endmacro -%}

{#- A number as json_format() writes it: a member of an object with a fraction or an exponent is a double, whose
    exponent has no plus. Of a string what it says, exact: json_parse() writes an exponent out, or with a plus. -#}
{%- macro number_text(value) -%}
case
    when not starts_with(json_format({{ value }}), '"') then json_format({{ value }})
    when regexp_like({{ text(value) }}, '^-?[0-9]{1,500}(\.[0-9]{1,400})?[eE][+-]?[0-9]{1,9}$')
        then json_format(try(json_parse(regexp_replace({{ text(value) }}, '^(-?)0+([0-9])', '$1$2'))))
    else {{ text(value) }}
end
{%- endmacro -%}

{#- Whether a number in that form is a double that does not tell which whole number it was. -#}
{%- macro is_rounded(sent) -%}
(regexp_like({{ sent }}, 'E[0-9]') and abs(try_cast({{ sent }} as double)) >= 9007199254740992)
{%- endmacro -%}

{#- A whole number in whatever form it is written, or a string that spells one; NULL for anything else, and for what 64
    bits or a double do not hold. -#}
{%- macro bigint(value) -%}
element_at(
    transform(
        array[{{ number_text(value) }}],
        sent -> case
            when regexp_like(sent, '^-?[0-9]+(\.0+)?$') then try_cast(regexp_extract(sent, '^-?[0-9]+') as bigint)
            when regexp_like(sent, '^-?0(\.0+)?E') then bigint '0'
            when regexp_like(sent, '^-?[0-9]+(\.[0-9]+)?E\+?[0-9]{1,2}$')
                and not {{ is_rounded("sent") }}
                and try_cast(sent as double) = floor(try_cast(sent as double))
                then try_cast(try_cast(sent as decimal(38, 0)) as bigint)
        end
    ),
    1
)
{%- endmacro -%}

{#- A number with a fixed count of decimals, further ones rounded half up, or a string that spells one. Trino writes all
    digits of an exponent out, so one of more than three digits is told by a double: too large, or as good as 0. Text of
    more than 1,000 characters does not fit, nor what a double does not hold. -#}
{%- macro decimal(value, type) -%}
element_at(
    transform(
        array[{{ number_text(value) }}],
        sent -> case
            when length(sent) > 1000 or {{ is_rounded("sent") }} then null
            when regexp_like(sent, '^-?[0-9]+(\.[0-9]+)?(E[+-]?0*[0-9]{1,3})?$') then try_cast(sent as {{ type }})
            when is_finite({{ double_of("sent") }}) then try_cast({{ double_of("sent") }} as {{ type }})
        end
    ),
    1
)
{%- endmacro -%}

{#- A day, YYYY-MM-DD, as text; of the years 1 to 9999, which every client can read. -#}
{%- macro day_of(text) -%}
case
    when regexp_like({{ text }}, '^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$') then try_cast({{ text }} as date)
end
{%- endmacro -%}

{#- A day in a string. -#}
{%- macro day(value) -%}
{{ day_of("try_cast(" ~ value ~ " as varchar)") }}
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
{%- elif type == "timestamp" -%}{{ instant(text(value)) }}
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

{#- What an event's plan does not declare in the object at `keys`, as a map; null members are left out. -#}
{%- macro undeclared(event, keys) -%}
map_concat(
    map_filter(
        coalesce({{ object_column(event, keys) }}, map()),
        (member_name, member) -> not contains(
            cast(array[{{ event.declared_below(keys) | map("literal") | join(", ") }}] as array(varchar)), member_name
        )
        and coalesce(json_format(member), 'null') <> 'null'
    ),
    cast(map() as map (varchar, json))
    {%- for inner in event.objects if inner and inner[:-1] == keys %},
    map_filter(
        map(array[{{ inner[-1] | literal }}], array[cast({{ undeclared(event, inner) }} as json)]),
        (member_name, member) -> json_format(member) <> '{}'
    )
    {%- endfor %}
)
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
                coalesce(try_cast(value as array(json)), array[]),
                map_values(
                    map_filter(
                        coalesce(try_cast(value as map (varchar, json)), map()),
                        (member_name, member) -> member_name = step
                    )
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
        when 'array' then {{ whole_numbers(one) }} = {{ whole_numbers(other) }}
        when 'object' then {{ whole_numbers(one) }} = {{ whole_numbers(other) }}
        else false
    end
)
{%- endmacro -%}

{#- Whether two texts of numbers that differ say one number: at least one has a fraction or an exponent. -#}
{%- macro is_same_number(one, other) -%}
(regexp_like({{ one }}, '[.eE]') or regexp_like({{ other }}, '[.eE]'))
and coalesce(try_cast({{ one }} as double) = try_cast({{ other }} as double), false)
{%- endmacro -%}

{#- JSON text with its whole numbers without a fraction of zeros. -#}
{%- macro whole_numbers(text) -%}
regexp_replace(
    {{ text }},
    '("(?:[^"\\]++|\\.)*+")|(-?[0-9]++)\.0++(?![0-9eE])',
    part -> coalesce(part[1], part[2])
)
{%- endmacro -%}

{#- Whether text has the format that JSON Schema names. -#}
{%- macro has_format(text, format) -%}
case {{ format }}
    when 'date-time'
        then regexp_like({{ text }}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})$')
            and {{ instant("upper(" ~ text ~ ")") }} is not null
    when 'date'
        then {{ day_of(text) }} is not null
    when 'email' then regexp_like({{ text }}, '^[^@\s]+@[^@\s]+$')
    when 'uri' then regexp_like({{ text }}, '^[A-Za-z][A-Za-z0-9+.-]*:\S+$')
    when 'uuid'
        then regexp_like(
            {{ text }}, '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$'
        )
end
{%- endmacro -%}
