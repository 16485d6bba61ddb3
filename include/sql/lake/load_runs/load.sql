-- Stores one run's report, in place of an earlier one of the same run. Grain: one run. Parameters: report, now.
merge into {{ t.load_runs }} as target
using (
    select
        {{ bind(report.run_id) }} as run_id,
        {{ bind(report.objects) }} as objects,
        {{ bind(report.bytes) }} as bytes,
        {{ bind(report.rows_read) }} as rows_read,
        {{ bind(report.rows_loaded) }} as rows_loaded,
        {{ bind(report.rows_duplicate) }} as rows_duplicate,
        {{ bind(report.rows_rejected) }} as rows_rejected,
        {{ bind(report.values_discarded) }} as values_discarded,
        {{ bind(report.rows_updated) }} as rows_updated,
        {{ bind(report.reasons_json) }} as rejected_by_reason,
        {{ bind(report.delays_json) }} as rows_by_delay,
        {{ bind(report.violations_json) }} as violations_by_event,
        {{ bind(report.failures_json) }} as tables_failed,
        cast({{ bind(report.first_received_at) }} as timestamp(6) with time zone) as first_received_at,
        cast({{ bind(report.last_received_at) }} as timestamp(6) with time zone) as last_received_at,
        {{ bind(now) }} as reported_at
) as source
    on target.run_id = source.run_id
when matched then
    update
        set
            objects = source.objects,
            bytes = source.bytes,
            rows_read = source.rows_read,
            rows_loaded = source.rows_loaded,
            rows_duplicate = source.rows_duplicate,
            rows_rejected = source.rows_rejected,
            values_discarded = source.values_discarded,
            rows_updated = source.rows_updated,
            rejected_by_reason = source.rejected_by_reason,
            rows_by_delay = source.rows_by_delay,
            violations_by_event = source.violations_by_event,
            tables_failed = source.tables_failed,
            first_received_at = source.first_received_at,
            last_received_at = source.last_received_at,
            reported_at = source.reported_at
when not matched then
    insert (
        run_id, objects, bytes, rows_read, rows_loaded, rows_duplicate, rows_rejected, values_discarded, rows_updated,
        rejected_by_reason, rows_by_delay, violations_by_event, tables_failed, first_received_at, last_received_at,
        reported_at
    )
    values (
        source.run_id, source.objects, source.bytes, source.rows_read, source.rows_loaded, source.rows_duplicate,
        source.rows_rejected, source.values_discarded, source.rows_updated, source.rejected_by_reason,
        source.rows_by_delay, source.violations_by_event, source.tables_failed, source.first_received_at,
        source.last_received_at, source.reported_at
    )
