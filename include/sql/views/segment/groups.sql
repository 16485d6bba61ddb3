{%- from "macros/segment.sql" import common_columns, group_traits, keys, opened_members -%}
-- Group calls, as in Segment's groups. Grain: one message.
with group_calls as (
    select
        *,
        {{ opened_members("traits") }} as trait
    from {{ t.events }}
    where type = 'group'
)

select
    group_id,
    traits,
    {{- keys("trait", group_traits, quote) }}
    {{ common_columns(events, quote) }}
from group_calls
