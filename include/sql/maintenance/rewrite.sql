-- The files of some partitions are written anew, without the rows that were deleted. No parameter may be bound in this
-- statement, so the instants are written out. A table without partitions has no `partition_column`.
-- Grain: one row a figure of what was rewritten. Parameters: altered (schema, name), partition_column, span.
alter table {{ t.evolving(altered) }} execute optimize (file_size_threshold => '100TB')
{%- if partition_column %}
where
{{ quote(partition_column) }} >= {{ instant_literal(span.start) }}
and {{ quote(partition_column) }} < {{ instant_literal(span.end) }}
{%- endif %}
