-- What the loads of a day cost, at the list prices of include/prices.yaml: the work of the engine, up to each report.
-- Grain: one day (UTC) of reports. Parameters: none.
select
    date(reported_at) as day,
    count(*) as runs,
    sum(rows_loaded) as events,
    sum(bytes) as staged_bytes,
    sum(queries) as queries,
    sum(cpu_seconds) as cpu_seconds,
    sum(bytes_read) as bytes_read,
    sum(dollars) as dollars,
    sum(dollars) * 1e6 / nullif(sum(rows_loaded), 0) as dollars_a_million_events
from {{ t.load_runs }}
where dollars is not null
group by date(reported_at)
