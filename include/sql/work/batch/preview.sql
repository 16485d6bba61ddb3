{%- from "macros/changes.sql" import differs -%}
{%- from "macros/dedupe.sql" import first_lines -%}
-- What loading the batch would do to `events`, by the same rules as the load.
-- Grain: one row. Parameters: run_id, bounds, manifest (rederive).
with first_lines as (
    {{ first_lines(t.batch(run_id)) }}
),

messages as (
    select batch.*
    from {{ t.batch(run_id) }} as batch
    inner join first_lines on batch.line_id = first_lines.line_id
),

outcomes as (
    select
        target.message_id is null as is_new,
        {% if manifest.rederive -%}
        target.message_id is not null and {{ differs("messages", "target", events, quote) }} as is_changed
        {%- else -%}
        false as is_changed
        {%- endif %}
    from messages
    left join {{ t.events }} as target
        on
            messages.message_id = target.message_id
            and target.received_at between {{ bind(bounds.earliest) }} and {{ bind(bounds.latest) }}
),

outcome_counts as (
    select
        count_if(is_new) as rows_new,
        count_if(is_changed) as rows_changed
    from outcomes
),

line_counts as (
    select
        count(*) as rows_read,
        count_if(reject_reason is not null) as rows_rejected,
        count(distinct if(reject_reason is null, coalesce(user_id, anonymous_id))) as people,
        count(distinct if(reject_reason is null, date_trunc('hour', received_at))) as partition_hours,
        min(received_at) filter (where reject_reason is null) as first_received_at,
        max(received_at) filter (where reject_reason is null) as last_received_at
    from {{ t.batch(run_id) }}
)

select
    line_counts.*,
    outcome_counts.rows_new,
    outcome_counts.rows_changed
from line_counts
cross join outcome_counts
