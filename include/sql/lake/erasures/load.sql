-- What one run did and found, in place of what an earlier try of it wrote.
-- Grain: one place. Parameters: erasure_id, run_id, now, digests_json (of the ids), places_json.
merge into {{ t.erasures }} as target
using (
    select
        listed.place,
        listed.found,
        listed.removed,
        listed.left_over,
        listed.mentions,
        listed.objects_rewritten,
        listed.versions_deleted,
        listed.unreadable,
        listed.old_states,
        cast(json_parse({{ bind(digests_json) }}) as array(varchar)) as id_digests,
        cast(from_iso8601_timestamp_nanos(listed.gone_by_text) as timestamp(6) with time zone) as gone_by
    from
        unnest(
            cast(
                json_parse({{ bind(places_json) }})
                as array(
                    row(
                        place varchar, found bigint, removed bigint, left_over bigint, mentions bigint,
                        objects_rewritten bigint, versions_deleted bigint, unreadable bigint, old_states bigint,
                        gone_by_text varchar
                    )
                )
            )
        ) as listed (
            place, found, removed, left_over, mentions, objects_rewritten, versions_deleted, unreadable, old_states,
            gone_by_text
        )
) as source
    on target.run_id = {{ bind(run_id) }} and target.place = source.place
when matched then
    update
        set
            found = source.found,
            removed = source.removed,
            left_over = source.left_over,
            mentions = source.mentions,
            objects_rewritten = source.objects_rewritten,
            versions_deleted = source.versions_deleted,
            unreadable = source.unreadable,
            old_states = source.old_states,
            gone_by = source.gone_by,
            erased_at = {{ bind(now) }}
when not matched then
    insert (
        erasure_id, run_id, place, id_digests, found, removed, left_over, mentions, objects_rewritten,
        versions_deleted, unreadable, old_states, gone_by, erased_at
    )
    values (
        {{ bind(erasure_id) }},
        {{ bind(run_id) }},
        source.place,
        source.id_digests,
        source.found,
        source.removed,
        source.left_over,
        source.mentions,
        source.objects_rewritten,
        source.versions_deleted,
        source.unreadable,
        source.old_states,
        source.gone_by,
        {{ bind(now) }}
    )
