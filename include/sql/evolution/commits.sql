-- Which of some queries' commits are in their tables: those that no other change of the table has replaced.
-- Grain: one snapshot. Parameters: snapshots (the names of Iceberg's own tables about those of the tables), query_ids.
{%- for name in snapshots %}
select element_at(summary, 'trino_query_id') as query_id
from {{ name }}
where element_at(summary, 'trino_query_id') in ({{ bind_each(query_ids) }})
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
