{%- from "macros/dedupe.sql" import first_lines -%}
{%- from "macros/time.sql" import within -%}
-- What became of each line of one batch, found again in the tables that were written.
-- A message that is in neither place is counted nowhere: then the report does not add up and the run fails.
-- Of these objects, rows that another run left in `events` without coming to write here are listed for that run, which
-- may still write its own.
-- Grain: one staged object of the manifest and one run. Parameters: run_id, now, manifest, staged (when its objects
-- were staged), window and bounds.
merge into {{ t.load_ledger }} as target
using (
    -- What the run was to load, objects without a line too.
    with manifest as (
        select
            listed.source_path,
            listed.bytes,
            cast(from_iso8601_timestamp_nanos(listed.staged_at) as timestamp(6) with time zone) as staged_at
        from
            unnest(
                cast(
                    json_parse({{ bind(manifest.objects_json) }})
                    as array(row(source_path varchar, bytes bigint, staged_at varchar))
                )
            ) as listed (source_path, bytes, staged_at)
    ),

    first_lines as (
        {{ first_lines(t.batch(run_id)) }}
    ),

    -- Rows of `events` that a message of the batch can be. All of them are kept in memory: without texts but the id.
    present_messages as (
        select
            message_id,
            xxhash64(to_utf8(source_path)) as source_hash,
            load_run_id = {{ bind(run_id) }} as is_of_run
        from {{ t.events }}
        where {{ within("received_at", bounds, bind) }}
    ),

    -- Loaded: the row is of this run and of this object. Present and not loaded: a duplicate.
    outcomes as (
        select
            batch.source_path,
            batch.received_at,
            batch.reject_reason,
            first_lines.line_id is not null
            and present_messages.is_of_run
            and present_messages.source_hash = xxhash64(to_utf8(batch.source_path)) as is_loaded,
            present_messages.message_id is not null as is_present
        from {{ t.batch(run_id) }} as batch
        left join first_lines on batch.line_id = first_lines.line_id
        left join present_messages on batch.reject_reason is null and batch.message_id = present_messages.message_id
    ),

    reason_counts as (
        select
            source_path,
            reject_reason,
            count(*) as reason_rows
        from outcomes
        where reject_reason is not null
        group by source_path, reject_reason
    ),

    reasons as (
        select
            source_path,
            map_agg(reject_reason, reason_rows) as rejected_by_reason
        from reason_counts
        group by source_path
    ),

    counts as (
        select
            source_path,
            count(*) as rows_read,
            count_if(is_loaded) as rows_loaded,
            count_if(is_present and not is_loaded) as rows_duplicate,
            count_if(reject_reason is not null) as rows_rejected,
            min(received_at) filter (where reject_reason is null) as first_received_at,
            max(received_at) filter (where reject_reason is null) as last_received_at
        from outcomes
        group by source_path
    ),

    -- All lines of a staged object are in the batch, and of one of the archive those of some hours.
    left_rows as (
        select
            events.source_path,
            events.load_run_id,
            count(*) as rows_loaded,
            min(events.received_at) as first_received_at,
            max(events.received_at) as last_received_at
        from {{ t.events }} as events
        inner join manifest on events.source_path = manifest.source_path
        where
            (
                {{ within("events.received_at", window, bind) }}
                {{- " or " ~ within("events.received_at", bounds, bind) if manifest.archived }}
            )
            and events.load_run_id <> {{ bind(run_id) }}
        group by events.source_path, events.load_run_id
    )

    select
        manifest.source_path,
        {{ bind(run_id) }} as run_id,
        manifest.bytes,
        coalesce(counts.rows_read, 0) as rows_read,
        coalesce(counts.rows_loaded, 0) as rows_loaded,
        coalesce(counts.rows_duplicate, 0) as rows_duplicate,
        coalesce(counts.rows_rejected, 0) as rows_rejected,
        coalesce(reasons.rejected_by_reason, map()) as rejected_by_reason,
        counts.first_received_at,
        counts.last_received_at,
        manifest.staged_at
    from manifest
    left join counts on manifest.source_path = counts.source_path
    left join reasons on manifest.source_path = reasons.source_path
    union all
    select
        manifest.source_path,
        left_rows.load_run_id as run_id,
        manifest.bytes,
        null as rows_read,
        left_rows.rows_loaded,
        0 as rows_duplicate,
        0 as rows_rejected,
        map() as rejected_by_reason,
        left_rows.first_received_at,
        left_rows.last_received_at,
        manifest.staged_at
    from manifest
    inner join left_rows on manifest.source_path = left_rows.source_path
) as source
    on
        target.source_path = source.source_path
        and target.run_id = source.run_id
        and target.staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
when matched and source.run_id = {{ bind(run_id) }} then
    update
        set
            bytes = source.bytes,
            rows_read = source.rows_read,
            rows_loaded = source.rows_loaded,
            rows_duplicate = source.rows_duplicate,
            rows_rejected = source.rows_rejected,
            rejected_by_reason = source.rejected_by_reason,
            first_received_at = source.first_received_at,
            last_received_at = source.last_received_at,
            loaded_at = {{ bind(now) }}
when not matched then insert (
    source_path, run_id, bytes, rows_read, rows_loaded, rows_duplicate, rows_rejected, rejected_by_reason,
    first_received_at, last_received_at, staged_at, loaded_at
)
values (
    source.source_path, source.run_id, source.bytes, source.rows_read, source.rows_loaded, source.rows_duplicate,
    source.rows_rejected, source.rejected_by_reason, source.first_received_at, source.last_received_at,
    source.staged_at, {{ bind(now) }}
)
