{%- from "macros/person.sql" import has_id, has_quoted_id, is_id -%}
-- Looks for ids in every column of a table that holds text: in columns of ids, in others as a JSON string or alone.
-- Grain: one row. Parameters: altered (schema, name), searched (its columns), ids,
-- earlier, quoted_ids.
with looked as (
    select
        coalesce(
            false
            {%- if searched.id_columns %}
            or {{ has_id(searched.id_columns, ids, earlier, quote, bind_each) }}
            {%- endif %}
            {%- for column, field in searched.id_fields %}
            or any_match(
                {{ quote(column) }}, item -> {{ is_id("item." ~ quote(field), ids, earlier, bind_each) }}
            )
            {%- endfor %},
            false
        ) as is_own,
        coalesce(
            false
            {%- for column in searched.text_columns %}
            or coalesce({{ quote(column) }} in ({{ bind_each(ids) }}), false)
            or coalesce({{ has_quoted_id(column, quoted_ids, quote, bind) }}, false)
            {%- endfor %},
            false
        ) as is_mention
    from {{ t.any_table(altered) }}
)

select
    count_if(is_own) as own,
    count_if(is_mention and not is_own) as mentions
from looked
