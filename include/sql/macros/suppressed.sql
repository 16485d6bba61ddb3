{%- from "macros/json.sql" import text -%}
{#- Messages of people whose data was erased: no load takes them. -#}

{#- The CTE with the digests of all suppressed ids: one row, a map; NULL while there are none, so that nothing is
    hashed then. -#}
{%- macro suppressed_ids(t) -%}
suppressed_ids as (
    select map_agg(id_digest, true) as suppressed
    from {{ t.suppressions }}
)
{%- endmacro -%}

{#- Whether one of some ids, SQL expressions, is among them. -#}
{%- macro has_suppressed(ids, suppressed="suppressed") -%}
{{ suppressed }} is not null
        and (
            {%- for id in ids %}
            {{ "or " if not loop.first -}}
            element_at({{ suppressed }}, to_hex(sha256(to_utf8({{ id }}))))
            is not null
            {%- endfor %}
        )
{%- endmacro -%}

{#- Whether a message has one of them where `events` has its ids from. -#}
{%- macro is_suppressed(message) -%}
{{ has_suppressed([
    text("element_at(" ~ message ~ ", 'userId')"),
    text("element_at(" ~ message ~ ", 'anonymousId')"),
    text("element_at(" ~ message ~ ", 'previousId')"),
]) }}
{%- endmacro -%}

{#- The same of a row of `events`. -#}
{%- macro is_row_suppressed() -%}
{{ has_suppressed(["events.user_id", "events.anonymous_id", "events.previous_id"], "suppressed_ids.suppressed") }}
{%- endmacro -%}
