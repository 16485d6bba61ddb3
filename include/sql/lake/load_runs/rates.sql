-- What the runs of late cost: the line through their dollars by the bytes of their objects.
-- Grain: one row. Parameters: run_id (not itself), costs_since.
select
    regr_intercept(dollars, bytes) as a_run,
    regr_slope(dollars, bytes) as a_byte,
    avg(dollars) as average_dollars,
    avg(cast(bytes as double)) as average_bytes
from {{ t.load_runs }}
where
    reported_at >= {{ bind(costs_since) }}
    and run_id <> {{ bind(run_id) }}
    and bytes > 0
    and dollars > 0
