-- What the runs of some time did together. Grain: one sum: of a count, of the lines rejected for a reason, or of the
-- rows of a delay. Parameters: reported_since.
select
    parts.kind,
    entries.name,
    sum(entries.amount) as total
from {{ t.load_runs }} as load_runs
cross join
    unnest(
        array['counts', 'rejected_by_reason', 'rows_by_delay'],
        array[
            map(
                array['rows_read', 'rows_loaded', 'rows_duplicate', 'rows_rejected', 'values_discarded'],
                array[
                    load_runs.rows_read,
                    load_runs.rows_loaded,
                    load_runs.rows_duplicate,
                    load_runs.rows_rejected,
                    load_runs.values_discarded
                ]
            ),
            cast(json_parse(load_runs.rejected_by_reason) as map (varchar, bigint)),
            cast(json_parse(load_runs.rows_by_delay) as map (varchar, bigint))
        ]
    ) as parts (kind, amounts)
cross join unnest(parts.amounts) as entries (name, amount)
where load_runs.reported_at >= {{ bind(reported_since) }} and entries.amount is not null
group by parts.kind, entries.name
order by parts.kind, entries.name
