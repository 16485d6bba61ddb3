{%- from "macros/segment.sql" import common_columns, opened_members, own_or_property -%}
-- Screen calls, as in Segment's screens. Grain: one message.
with screens as (
    select
        *,
        {{ opened_members("properties") }} as screen_property
    from {{ t.events }}
    where type = 'screen'
)

select
    {{ own_or_property("name", "screen_property") }},
    {{ own_or_property("category", "screen_property") }},
    properties,
    {{ common_columns(events, quote) }}
from screens
