-- Stores one run's report, in place of an earlier one of the same run, and what the ledger says of the runs that left
-- rows of its objects in `events` and did not come to report: so that their events get into sessions, too.
-- Grain: one run. Parameters: report, now, staged (when its objects were staged).
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
        {{ bind(report.spent.queries) }} as queries,
        {{ bind(report.spent.cpu_seconds) }} as cpu_seconds,
        {{ bind(report.spent.bytes_read) }} as bytes_read,
        {{ bind(report.spent.bytes_written) }} as bytes_written,
        {{ bind(report.spent.tries) }} as tries,
        {{ bind(report.dollars) }} as dollars,
        cast({{ bind(report.seconds) }} as double) as seconds,
        {{ bind(now) }} as reported_at
    union all
    select
        left_rows.run_id,
        count(*) as objects,
        sum(left_rows.bytes) as bytes,
        null as rows_read,
        sum(left_rows.rows_loaded) as rows_loaded,
        0 as rows_duplicate,
        0 as rows_rejected,
        0 as values_discarded,
        0 as rows_updated,
        null as rejected_by_reason,
        null as rows_by_delay,
        null as violations_by_event,
        null as tables_failed,
        min(left_rows.first_received_at) as first_received_at,
        max(left_rows.last_received_at) as last_received_at,
        null as queries,
        null as cpu_seconds,
        null as bytes_read,
        null as bytes_written,
        null as tries,
        null as dollars,
        null as seconds,
        {{ bind(now) }} as reported_at
    from {{ t.load_ledger }} as left_rows
    where
        left_rows.rows_read is null
        and left_rows.staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
        and left_rows.source_path in (
            select own.source_path
            from {{ t.load_ledger }} as own
            where
                own.run_id = {{ bind(report.run_id) }}
                and own.staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
        )
    group by left_rows.run_id
) as source
    on target.run_id = source.run_id
when matched and (source.run_id = {{ bind(report.run_id) }} or target.rows_read is null) then
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
            queries = source.queries,
            cpu_seconds = source.cpu_seconds,
            bytes_read = source.bytes_read,
            bytes_written = source.bytes_written,
            tries = source.tries,
            dollars = source.dollars,
            seconds = source.seconds,
            reported_at = source.reported_at
when not matched then
    insert (
        run_id, objects, bytes, rows_read, rows_loaded, rows_duplicate, rows_rejected, values_discarded, rows_updated,
        rejected_by_reason, rows_by_delay, violations_by_event, tables_failed, first_received_at, last_received_at,
        queries, cpu_seconds, bytes_read, bytes_written, tries, dollars, seconds, reported_at
    )
    values (
        source.run_id, source.objects, source.bytes, source.rows_read, source.rows_loaded, source.rows_duplicate,
        source.rows_rejected, source.values_discarded, source.rows_updated, source.rejected_by_reason,
        source.rows_by_delay, source.violations_by_event, source.tables_failed, source.first_received_at,
        source.last_received_at, source.queries, source.cpu_seconds, source.bytes_read, source.bytes_written,
        source.tries, source.dollars, source.seconds, source.reported_at
    )
