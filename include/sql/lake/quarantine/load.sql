-- One object is set aside; nothing changes when it was before.
-- Grain: one object. Parameters: run_id, now, unreadable (path, copy_path, bytes, reason, staged_at).
merge into {{ t.quarantine }} as target
using (
    select
        {{ bind(unreadable.path) }} as source_path,
        {{ bind(unreadable.copy_path) }} as copy_path,
        {{ bind(unreadable.bytes) }} as bytes,
        {{ bind(unreadable.reason) }} as reason,
        {{ bind(unreadable.staged_at) }} as staged_at
) as source
    on target.source_path = source.source_path
when not matched then
    insert (source_path, copy_path, bytes, reason, staged_at, quarantined_at, load_run_id)
    values (
        source.source_path,
        source.copy_path,
        source.bytes,
        source.reason,
        source.staged_at,
        {{ bind(now) }},
        {{ bind(run_id) }}
    )
