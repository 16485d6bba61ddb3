{%- from "macros/dedupe.sql" import first_lines -%}
{%- from "macros/time.sql" import within -%}
-- Values of one batch that did not fit their column, of the lines that became or changed rows of events, also in a run
-- that did not come further than that.
-- Grain: one value of one message. Parameters: run_id, now, window (received_at of the part of the batch), bounds,
-- staged (when its objects were staged).
merge into {{ t.discards }} as target
using (
    -- Runs that came to the ledger: the discards of what they loaded are written.
    with finished_runs as (
        select
            source_path,
            run_id
        from {{ t.load_ledger }}
        where
            staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
            and rows_read is not null
    ),

    -- Rows that this run wrote or, of its objects, a run that did not finish. An updated row is of any object.
    loaded_messages as (
        select
            events.message_id,
            if(events.update_run_id = {{ bind(run_id) }}, null, events.source_path) as source_path
        from {{ t.events }} as events
        left join finished_runs
            on events.source_path = finished_runs.source_path and events.load_run_id = finished_runs.run_id
        where
            {{ within("events.received_at", bounds, bind) }}
            and (
                events.load_run_id = {{ bind(run_id) }}
                or events.update_run_id = {{ bind(run_id) }}
                or (
                    finished_runs.run_id is null
                    and events.source_path in (select batch.source_path from {{ t.batch(run_id) }} as batch)
                )
            )
    ),

    first_lines as (
        {{ first_lines(t.batch(run_id)) }}
    ),

    -- Of the line that became the row, and of no duplicate.
    discarding_lines as (
        select
            batch.message_id,
            batch.received_at,
            batch.source_path,
            batch.discarded
        from {{ t.batch(run_id) }} as batch
        inner join first_lines on batch.line_id = first_lines.line_id
        inner join loaded_messages
            on
                batch.message_id = loaded_messages.message_id
                and batch.source_path = coalesce(loaded_messages.source_path, batch.source_path)
        where
            cardinality(batch.discarded) > 0
            and batch.received_at between {{ bind(window.earliest) }} and {{ bind(window.latest) }}
    )

    select
        discarding_lines.message_id,
        discarding_lines.received_at,
        discarding_lines.source_path,
        item.column_name,
        item.wanted_type,
        item.value,
        case
            when starts_with(item.value, '"') then 'bad_value'
            when item.wanted_type = 'double' and substr(item.value, 1, 1) in (
                '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'
            ) then 'bad_value'
            else 'wrong_type'
        end as reason
    from discarding_lines
    cross join unnest(discarding_lines.discarded) as item (column_name, wanted_type, value)
) as source
    on
        target.message_id = source.message_id
        and target.column_name = source.column_name
        and target.received_at = source.received_at
        and {{ within("target.received_at", window, bind) }}
when not matched then insert (
    message_id, column_name, value, wanted_type, reason, received_at, source_path, discarded_at, load_run_id
)
values (
    source.message_id,
    source.column_name,
    source.value,
    source.wanted_type,
    source.reason,
    source.received_at,
    source.source_path,
    {{ bind(now) }},
    {{ bind(run_id) }}
)
