-- Staged objects that a run has loaded. Grain: one object. Parameters: staged_since.
select distinct source_path
from {{ t.load_ledger }}
where staged_at >= {{ bind(staged_since) }}
