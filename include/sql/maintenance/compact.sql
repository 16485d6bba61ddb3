-- Small files of closed partitions become few: hourly loads leave one or more a partition each.
-- `closed_before` is a boundary of partitions: Trino refuses a predicate that cuts through one. No parameter may be
-- bound in this statement, so the instant is written out. A table without partitions has no `partition_column`.
-- Grain: one row a figure of what was rewritten. Parameters: altered (schema, name), partition_column, closed_before.
alter table {{ t.evolving(altered) }} execute optimize (file_size_threshold => '128MB')
{%- if partition_column is not none %}
where {{ quote(partition_column) }} < {{ instant_literal(closed_before) }}
{%- endif %}
