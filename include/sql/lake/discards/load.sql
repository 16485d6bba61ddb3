{%- from "macros/dedupe.sql" import first_lines -%}
-- Values of one batch that did not fit their column, of the lines that became or changed rows of events.
-- Grain: one value of one message. Parameters: run_id, now, window (received_at of the part of the batch), bounds.
merge into {{ t.discards }} as target
using (
    with loaded_messages as (
        select
            message_id,
            if(update_run_id = {{ bind(run_id) }}, null, source_path) as source_path
        from {{ t.events }}
        where
            received_at between {{ bind(bounds.earliest) }} and {{ bind(bounds.latest) }}
            and (load_run_id = {{ bind(run_id) }} or update_run_id = {{ bind(run_id) }})
    ),

    first_lines as (
        {{ first_lines(t.batch(run_id)) }}
    ),

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
            when item.wanted_type = 'double' and regexp_like(item.value, '^[-0-9]') then 'bad_value'
            else 'wrong_type'
        end as reason
    from discarding_lines
    cross join unnest(discarding_lines.discarded) as item (column_name, wanted_type, value)
) as source
    on
        target.message_id = source.message_id
        and target.column_name = source.column_name
        and target.received_at = source.received_at
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
