-- Ids whose messages are not loaded any more; one that is there already stays as it is.
-- Grain: one id. Parameters: digests_json (of the ids), erasure_id, now.
merge into {{ t.suppressions }} as target
using (
    select listed.id_digest
    from unnest(cast(json_parse({{ bind(digests_json) }}) as array(varchar))) as listed (id_digest)
) as source
    on target.id_digest = source.id_digest
when not matched then
    insert (id_digest, erasure_id, suppressed_at)
    values (source.id_digest, {{ bind(erasure_id) }}, {{ bind(now) }})
