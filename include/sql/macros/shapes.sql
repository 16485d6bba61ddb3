{#- The shape of a message: which keys it has, and of which JSON type the value of each is. -#}

{#- The shape of a message as JSON text: the members of the message, of its context, its properties and its traits,
    which are given as maps, each a list of strings. A member is the first character of its value's JSON text (t for f,
    0 for any number), then its key. Of an object with very many keys, such as ids that were sent as keys, the first
    200. Made for every message, so it has to be cheap: sorted keys or a map as JSON cost five times as much. -#}
{%- macro shape(objects) -%}
json_format(
    cast(
        array[
            {%- for object in objects %}
            zip_with(
                slice(map_keys({{ object }}), 1, 200),
                slice(map_values({{ object }}), 1, 200),
                (member_name, member) -> translate(
                    substr(json_format(member), 1, 1), 'f-123456789', 't0000000000'
                ) || member_name
            ){{ "," if not loop.last }}
            {%- endfor %}
        ] as json
    )
)
{%- endmacro -%}

{#- Its lists again. -#}
{%- macro shape_lists(shape) -%}
cast(json_parse({{ shape }}) as array(array(varchar)))
{%- endmacro -%}

{#- Which object the list at a position is of; empty for the message itself. -#}
{%- macro shape_parent(position) -%}
case {{ position }} when 1 then '' when 2 then 'context' when 3 then 'properties' when 4 then 'traits' end
{%- endmacro -%}

{#- The key of a member. -#}
{%- macro member_key(member) -%}
substr({{ member }}, 2)
{%- endmacro -%}

{#- The type of a member's value; NULL for null, which is none. -#}
{%- macro member_type(member) -%}
case substr({{ member }}, 1, 1)
    when '{' then 'object'
    when '[' then 'array'
    when '"' then 'string'
    when 't' then 'boolean'
    when '0' then 'number'
end
{%- endmacro -%}
