{%- from "macros/properties.sql" import json_kind -%}
{#- Every place in a JSON document: its path and its value. -#}

{#- The places just below one: the members of an object, or the items of an array, whose step is []. Of either the first
    200, so that a sender who uses ids as keys costs a bounded time. -#}
{%- macro places_below(place) -%}
transform(
    slice(map_entries(coalesce(try_cast({{ place }}.value as map (varchar, json)), map())), 1, 200),
    member -> cast(row({{ place }}.path || member[1], member[2]) as row(path array(varchar), value json))
)
|| transform(
    slice(coalesce(try_cast({{ place }}.value as array(json)), array[]), 1, 200),
    item -> cast(row({{ place }}.path || '[]', item) as row(path array(varchar), value json))
)
{%- endmacro -%}

{#- All places of a document down to a depth, the document itself with an empty path: a map from path and JSON Schema
    type to the values there. -#}
{%- macro typed_places(document, depth) -%}
multimap_from_entries(
    transform(
        reduce(
            sequence(1, {{ depth }}),
            array[
                cast(
                    row(cast(array[] as array(varchar)), {{ document }}) as row(path array(varchar), value json)
                )
            ],
            (found, level) -> found || flatten(
                transform(
                    filter(found, place -> cardinality(place.path) = level - 1),
                    place -> {{ places_below("place") }}
                )
            ),
            found -> found
        ),
        place -> row(
            cast(
                row(place.path, {{ json_kind("coalesce(place.value, json 'null')") }})
                as row(path array(varchar), json_type varchar)
            ),
            json_format(coalesce(place.value, json 'null'))
        )
    )
)
{%- endmacro -%}
