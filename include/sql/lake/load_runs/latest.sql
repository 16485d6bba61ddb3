-- What the latest runs did, the newest first. Grain: one run. Parameters: reported_since, run_limit.
select
    run_id,
    objects,
    bytes,
    rows_read,
    rows_loaded,
    rows_duplicate,
    rows_rejected,
    values_discarded,
    rejected_by_reason,
    rows_by_delay,
    violations_by_event,
    tables_failed,
    seconds,
    tries,
    dollars,
    reported_at
from {{ t.load_runs }}
where reported_at >= {{ bind(reported_since) }}
order by reported_at desc
limit {{ bind(run_limit) }}
