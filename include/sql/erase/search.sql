{%- from "macros/person.sql" import has_id, has_quoted_id, is_id, texts -%}
-- Looks for ids in every column of a table that holds text: in columns of ids, in others as a JSON string or alone.
-- Grain: one row. Parameters: altered (schema, name), searched (its columns), ids,
-- earlier, quoted_json.
with looked as (
    select
        coalesce(
            {%- if searched.id_columns %}
            {{ has_id(searched.id_columns, ids, earlier, quote, bind_each) }} or
            {%- endif %}
            {%- for column, field in searched.id_fields %}
            any_match(
                {{ quote(column) }}, item -> {{ is_id("item." ~ quote(field), ids, earlier, bind_each) }}
            ) or
            {%- endfor %}
            false,
            false
        ) as is_own,
        coalesce(
            {%- if searched.text_columns %}
            any_match(
                {{ texts(searched.text_columns, quote) }},
                text -> text in ({{ bind_each(ids) }}) or {{ has_quoted_id("text", quoted_json, bind) }}
            ) or
            {%- endif %}
            false,
            false
        ) as is_mention
    from {{ t.any_table(altered) }}
)

select
    count_if(is_own) as own,
    count_if(is_mention and not is_own) as mentions
from looked
