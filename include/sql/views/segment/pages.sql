{%- from "macros/segment.sql" import common_columns, keys, opened_members, own_or_property, page_properties -%}
-- Page calls, as in Segment's pages. Grain: one message.
with pages as (
    select
        *,
        {{ opened_members("properties") }} as page_property
    from {{ t.events }}
    where type = 'page'
)

select
    {{ own_or_property("name", "page_property") }},
    {{ own_or_property("category", "page_property") }},
    properties,
    {{- keys("page_property", page_properties, quote) }}
    {{ common_columns(events, quote) }}
from pages
