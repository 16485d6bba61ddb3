{%- from "macros/segment.sql" import common_columns, keys, opened_members, page_properties -%}
-- Page calls, as in Segment's pages. Grain: one message.
with pages as (
    select
        *,
        {{ opened_members("properties") }} as page_property
    from {{ t.events }}
    where type = 'page'
)

select
    name,
    category,
    properties,
    {{- keys("page_property", page_properties, quote) }}
    {{ common_columns(events, quote) }}
from pages
