-- Check (fail): the run rejected a line for a reason that is not in the closed list, or for none.
-- Grain: one rejected line. Parameters: run_id, staged (when its object was staged).
select
    reject_id,
    reason,
    source_path
from {{ t.rejects }}
where
    load_run_id = {{ bind(run_id) }}
    and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
    and coalesce(
        reason not in (
            'blank', 'too_deep', 'number_too_long', 'missing_newline', 'not_json', 'not_object', 'no_message_id',
            'load_failed', 'suppressed'
        ),
        true
    )
order by reject_id
limit 20
