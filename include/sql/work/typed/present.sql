-- Which events one run brought, and when they were received. Grain: one table. Parameters: run_id.
select
    table_name,
    count(*) as messages,
    min(received_at) as earliest,
    max(received_at) as latest
from {{ t.typed_batch(run_id) }}
group by table_name
order by messages desc, table_name asc
