{%- from "macros/changes.sql" import differs -%}
{%- from "macros/dedupe.sql" import first_lines -%}
{%- from "macros/time.sql" import within -%}
{#- What loading a batch would do to `events`, by the same rules as the load: for the previews of a dry run. -#}

{#- The CTEs up to `outcomes`: each message of the batch, once, with is_new and is_changed. -#}
{%- macro outcomes(t, run_id, bounds, rebuild, events, bind, quote) -%}
first_lines as (
    {{ first_lines(t.batch(run_id)) }}
),

messages as (
    select batch.*
    from {{ t.batch(run_id) }} as batch
    inner join first_lines on batch.line_id = first_lines.line_id
),

outcomes as (
    select
        messages.*,
        target.message_id is null as is_new,
        {% if rebuild -%}
        target.message_id is not null and {{ differs("messages", "target", events, quote) }} as is_changed
        {%- else -%}
        false as is_changed
        {%- endif %}
    from messages
    left join {{ t.events }} as target
        on
            messages.message_id = target.message_id
            and {{ within("target.received_at", bounds, bind) }}
)
{%- endmacro -%}
