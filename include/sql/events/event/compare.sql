{%- from "macros/time.sql" import within -%}
-- Messages that are in `events` and not, or more than once, in the table of their event, for what one run brought.
-- With `again`, each must have been written by this run: a commit can be lost where the table is altered meanwhile.
-- Grain: one table with such messages. Parameters: run_id, again, compared (its events, each with event and window).
with expected as (
    select
        table_name,
        message_id
    from {{ t.typed_batch(run_id) }}
),

-- Messages that the plan keeps out: they may be missing.
blocked as (
    select distinct message_id
    from {{ t.findings(run_id) }}
    where severity = 'block' and rule <> 'discard'
),

written as (
    {%- for present in compared.events %}
    select
        {{ literal(present.event.table) }} as table_name,
        message_id
    from {{ t.typed(present.event.table) }}
    where
        {{ within("received_at", present.window, bind) }}
        {{ "and load_run_id = " ~ bind(run_id) if again }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

copies as (
    select
        table_name,
        message_id,
        count(*) as copies
    from written
    group by table_name, message_id
)

select
    expected.table_name,
    count_if(copies.copies is null) as missing,
    count_if(copies.copies > 1) as repeated
from expected
left join blocked on expected.message_id = blocked.message_id
left join copies on expected.table_name = copies.table_name and expected.message_id = copies.message_id
where
    blocked.message_id is null
    and expected.table_name in ({{ bind_each(compared.events | map(attribute="event.table") | list) }})
group by expected.table_name
having count_if(copies.copies is null or copies.copies > 1) > 0
order by expected.table_name
