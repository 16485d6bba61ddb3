{%- from "macros/segment.sql" import common_columns, keys, opened_members, user_traits -%}
-- Identify calls, as in Segment's identifies. Grain: one message.
with identifies as (
    select
        *,
        {{ opened_members("traits") }} as trait
    from {{ t.events }}
    where type = 'identify'
)

select
    traits,
    {{- keys("trait", user_traits, quote) }}
    {{ common_columns(events, quote) }}
from identifies
