-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists {{ t.evolving(altered) }} (
    {%- for column in table.columns %}
    {{ quote(column.name) }} {{ column.type }} comment {{ literal(column.comment) }}{{ "," if not loop.last }}
    {%- endfor %}
)
comment {{ literal(table.comment) }}
with (
    {%- if table.partitioned_by %}
    partitioning = array[{{ literal(table.partitioned_by.text) }}],
    {%- endif %}
    {%- if table.sorted_by %}
    sorted_by = array[{{ literal(table.sorted_by) }}],
    {%- endif %}
    format = 'PARQUET'
)
