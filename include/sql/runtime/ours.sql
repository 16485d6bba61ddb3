-- Statements of this product that run: of those with an id in `query_ids`, where there are some, else all.
-- Grain: one query. Parameters: query_ids.
select query_id
from system.runtime.queries
where
    state not in ('FINISHED', 'FAILED')
    and query like '%/* clickstream %'
    and query not like '%system.runtime.queries%'
    {%- if query_ids %}
    and query_id in ({{ bind_each(query_ids) }})
    {%- endif %}
