-- What a column means, in the catalog. Parameters: altered (schema and name), column.
comment on column {{ t.evolving(altered) }}.{{ quote(column.name) }} is {{ literal(column.comment) }}
