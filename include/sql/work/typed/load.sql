{%- from "macros/time.sql" import within -%}
{%- from "macros/properties.sql" import with_doubles -%}
-- The messages of one run whose event has a table of its own, out of `events`: so each is there once, and any range of
-- `events` can be derived again. Bucketed, so that each event's statement reads only its own part.
-- Grain: one message. Parameters: run_id, declared (slugs, tables, columns), window (earliest, latest received_at),
-- of_batch (only the messages of the run's batch).
create or replace table {{ t.typed_batch_table(run_id) }}
with (
    format = 'PARQUET',
    partitioning = array['bucket(table_name, 16)']
)
as
with declared_events as (
    select
        listed.event,
        listed.table_name
    from
        unnest(
            cast(json_parse({{ bind(declared.pairs_json) }}) as array(row(event varchar, table_name varchar)))
        ) as listed (event, table_name)
)

select
    declared_events.table_name,
    {{ with_doubles("events.properties") }} as "properties",
    events.source_path,
{%- for column in declared.columns %}
events.{{ quote(column.name) }}{{ "," if not loop.last }}
{%- endfor %}
from {{ t.events }} as events
inner join declared_events on events.event = declared_events.event
where
    events.type = 'track'
    and {{ within("events.received_at", window, bind) }}
    {%- if of_batch %}
    and events.message_id in (
        select batch.message_id
        from {{ t.batch(run_id) }} as batch
        where batch.reject_reason is null
    )
    {%- endif %}
