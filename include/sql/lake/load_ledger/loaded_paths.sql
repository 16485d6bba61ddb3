-- Staged objects that need no loading: a run has loaded them, or they are set aside as unreadable, with a copy kept.
-- Grain: one object. Parameters: staged_since.
with settled as (
    select
        source_path,
        staged_at
    from {{ t.load_ledger }}
    union distinct
    select
        source_path,
        staged_at
    from {{ t.quarantine }}
)

select distinct source_path
from settled
where staged_at >= {{ bind(staged_since) }}
