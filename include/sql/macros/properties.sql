{%- from "macros/json.sql" import boolean, double, json, members, text -%}
{%- from "macros/time.sql" import instant -%}
{#- Values of properties as the tracking plan's column types. Each takes an SQL expression of type json. -#}

{#- A whole number, or a string that spells one; NULL for anything else and for what 64 bits do not hold. One that was
    sent with a fraction of 0 or an exponent, such as 2.0, is a double in Trino, exact up to 2^53. -#}
{%- macro bigint(value) -%}
coalesce(
    if(
        regexp_like(try_cast({{ value }} as varchar), '^-?[0-9]+$'),
        try_cast(try_cast({{ value }} as varchar) as bigint)
    ),
    if(
        {{ double(value) }} = floor({{ double(value) }}) and abs({{ double(value) }}) <= 9007199254740992,
        try_cast({{ double(value) }} as bigint)
    )
)
{%- endmacro -%}

{#- A number with a fixed count of decimals, further ones rounded half up, or a string that spells one. -#}
{%- macro decimal(value, type) -%}
case
    when regexp_like(try_cast({{ value }} as varchar), '^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$')
        then try_cast(try_cast({{ value }} as varchar) as {{ type }})
end
{%- endmacro -%}

{#- A day, YYYY-MM-DD, in a string. -#}
{%- macro day(value) -%}
case
    when regexp_like(try_cast({{ value }} as varchar), '^[0-9]{4}-[0-9]{2}-[0-9]{2}$')
        then try_cast(try_cast({{ value }} as varchar) as date)
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
{%- else -%}try_cast({{ value }} as {{ type }})
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
    cast(map() as map(varchar, json))
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
                        coalesce(try_cast(value as map(varchar, json)), map()),
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

{#- Whether text has the format that JSON Schema names. -#}
{%- macro has_format(text, format) -%}
case {{ format }}
    when 'date-time'
        then regexp_like({{ text }}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})$')
            and {{ instant("upper(" ~ text ~ ")") }} is not null
    when 'date'
        then regexp_like({{ text }}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') and try_cast({{ text }} as date) is not null
    when 'email' then regexp_like({{ text }}, '^[^@\s]+@[^@\s]+$')
    when 'uri' then regexp_like({{ text }}, '^[A-Za-z][A-Za-z0-9+.-]*:\S+$')
    when 'uuid'
        then regexp_like(
            {{ text }}, '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$'
        )
end
{%- endmacro -%}
