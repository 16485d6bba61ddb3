{%- from "macros/ledger.sql" import adds_up -%}
-- Staged objects that need no loading: a run has accounted for every row of them, or they are set
-- aside as unreadable, with a copy kept. What a run lost stays to be loaded, and does not expire.
-- Grain: one object. Parameters: staged_since.
with settled as (
    select
        source_path,
        staged_at
    from {{ t.load_ledger }}
    where {{ adds_up(t) }}
    union distinct
    select
        source_path,
        staged_at
    from {{ t.quarantine }}
)

select distinct source_path
from settled
where staged_at >= {{ bind(staged_since) }}
