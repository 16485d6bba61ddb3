{#- Names of events as identifiers. -#}

{#- Lower case, words joined by one underscore, letters, their marks and digits of any script kept, emoji and
    variation selectors not: `Product Viewed` gives
    product_viewed, `URLPath` gives url_path. NULL when nothing is left. -#}
{%- macro slug(text) -%}
nullif(
    regexp_replace(
        regexp_replace(
            lower(
                regexp_replace(
                    regexp_replace({{ text }}, '([\p{Ll}\p{Nd}])(\p{Lu})', '$1_$2'),
                    '(\p{Lu})(\p{Lu}\p{Ll})', '$1_$2'
                )
            ),
            '([^\p{L}\p{Mn}\p{Mc}\p{Nd}]|[\x{FE00}-\x{FE0F}])+', '_'
        ),
        '^_+|_+$', ''
    ),
    ''
)
{%- endmacro -%}
