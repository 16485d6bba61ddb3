-- How many messages of one run break a rule, of how many, and how many lose a property, by event.
-- Grain: one table of an event. Parameters: run_id.
with offenders as (
    select
        table_name,
        count(distinct message_id) filter (where rule <> 'discard') as violating,
        count(distinct message_id) filter (where rule = 'discard') as discarding
    from {{ t.findings(run_id) }}
    group by table_name
),

totals as (
    select
        table_name,
        count(*) as messages
    from {{ t.typed_batch(run_id) }}
    group by table_name
)

select
    totals.table_name,
    totals.messages,
    coalesce(offenders.violating, 0) as violating,
    coalesce(offenders.discarding, 0) as discarding
from totals
left join offenders on totals.table_name = offenders.table_name
order by totals.table_name
