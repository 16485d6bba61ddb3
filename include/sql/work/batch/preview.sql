{%- from "macros/outcomes.sql" import outcomes -%}
-- What loading the batch would do to `events`, and which tracked events it would bring to their own tables.
-- Grain: one row. Parameters: run_id, bounds, manifest (rebuild).
with {{ outcomes(t, run_id, bounds, manifest.rebuild, events, bind, quote) }},

outcome_counts as (
    select
        count_if(is_new) as rows_new,
        count_if(is_changed) as rows_changed,
        array_agg(distinct event) filter (where (is_new or is_changed) and type = 'track') as tracked
    from outcomes
),

line_counts as (
    select
        count(*) as rows_read,
        count_if(reject_reason is not null) as rows_rejected,
        count(distinct if(reject_reason is null, coalesce(nullif(user_id, ''), nullif(anonymous_id, '')))) as people,
        count(distinct if(reject_reason is null, date_trunc('hour', received_at))) as partition_hours,
        min(received_at) filter (where reject_reason is null) as first_received_at,
        max(received_at) filter (where reject_reason is null) as last_received_at
    from {{ t.batch(run_id) }}
)

select
    line_counts.*,
    outcome_counts.rows_new,
    outcome_counts.rows_changed,
    json_format(cast(coalesce(outcome_counts.tracked, array[]) as json)) as tracked
from line_counts
cross join outcome_counts
