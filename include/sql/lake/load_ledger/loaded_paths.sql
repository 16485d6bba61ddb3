{%- from "macros/ledger.sql" import adds_up -%}
-- Staged objects that need no loading: a run has accounted for every row of them, or they are set
-- aside as unreadable. What a run lost stays to be loaded, and does not expire. `is_kept`: whether what the object
-- holds is in the tables or in a copy of it, so that it may expire.
-- Grain: one object. Parameters: staged_since.
with settled as (
    select
        source_path,
        staged_at,
        true as is_kept
    from {{ t.load_ledger }}
    where {{ adds_up(t) }}
    union all
    select
        source_path,
        staged_at,
        copy_path is not null as is_kept
    from {{ t.quarantine }}
)

select
    source_path,
    bool_or(is_kept) as is_kept
from settled
where staged_at >= {{ bind(staged_since) }}
group by source_path
