-- A table of the straightforward way: the same columns, partitions and order as ours.
create table {{ table }} (
{%- for column in columns %}
    {{ column.name | quote }} {{ column.sql_type }}{{ "," if not loop.last }}
{%- endfor %}
)
with (format = 'PARQUET', partitioning = array[{{ partition | literal }}], sorted_by = array['received_at'])
