{%- from "macros/segment.sql" import latest, user_traits -%}
-- Users with the latest value of each trait, as in Segment's users. Reads every identify call. Grain: one user id.
select
    user_id as id,
    {%- for _, column, _, _ in user_traits %}
    {{ latest(quote(column)) }},
    {%- endfor %}
    {%- for column in events.columns if column.name.startswith("context_") %}
    {{ latest(quote(column.name)) }},
    {%- endfor %}
    max(received_at) as received_at,
    max(loaded_at) as uuid_ts
from {{ t.segment("identifies") }}
where user_id <> ''
group by user_id
