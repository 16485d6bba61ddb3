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

{#- Whether a message has one of them where `events` has its ids from. -#}
{%- macro is_suppressed(message) -%}
suppressed is not null
        and (
            {%- for key in ["userId", "anonymousId", "previousId"] %}
            {{ "or " if not loop.first -}}
            element_at(suppressed, to_hex(sha256(to_utf8({{ text("element_at(" ~ message ~ ", '" ~ key ~ "')") }}))))
            is not null
            {%- endfor %}
        )
{%- endmacro -%}
