-- What the latest runs rejected, set aside, met for the first time, could not fill, and cost.
-- The first load ever meets every key: its do not count.
-- Grain: one run. Parameters: runs_since.
with quarantined as (
    select
        load_run_id as run_id,
        count(*) as objects_unreadable,
        min(quarantined_at) as seen_at
    from {{ t.quarantine }}
    where quarantined_at >= {{ bind(runs_since) }}
    group by load_run_id
),

first_load as (
    select min_by(load_run_id, recorded_at) as run_id
    from {{ t.schema_changes }}
),

changed as (
    select
        schema_changes.load_run_id as run_id,
        count(*) as schema_changes,
        max_by(schema_changes.path, schema_changes.message_count, 10) as changed_paths,
        min(schema_changes.recorded_at) as seen_at
    from {{ t.schema_changes }} as schema_changes
    inner join first_load on schema_changes.load_run_id <> first_load.run_id
    where schema_changes.recorded_at >= {{ bind(runs_since) }}
    group by schema_changes.load_run_id
),

reported as (
    select
        run_id,
        rows_read,
        dollars,
        tables_failed,
        reported_at as seen_at,
        -- Lines of people whose data was erased are no fault.
        rows_rejected
        - coalesce(cast(json_extract_scalar(rejected_by_reason, '$.suppressed') as bigint), 0) as rows_rejected
    from {{ t.load_runs }}
    where reported_at >= {{ bind(runs_since) }}
)

select
    reported.tables_failed,
    coalesce(reported.run_id, quarantined.run_id, changed.run_id) as run_id,
    coalesce(reported.seen_at, quarantined.seen_at, changed.seen_at) as seen_at,
    coalesce(reported.rows_read, 0) as rows_read,
    coalesce(reported.rows_rejected, 0) as rows_rejected,
    coalesce(quarantined.objects_unreadable, 0) as objects_unreadable,
    coalesce(changed.schema_changes, 0) as schema_changes,
    coalesce(changed.changed_paths, array[]) as changed_paths,
    coalesce(reported.dollars, 0) as dollars
from reported
full outer join quarantined on reported.run_id = quarantined.run_id
full outer join changed on coalesce(reported.run_id, quarantined.run_id) = changed.run_id
order by seen_at
