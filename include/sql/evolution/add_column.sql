-- A column that the table lacks; its rows so far read as NULL. Parameters: altered (schema and name), column.
alter table {{ t.evolving(altered) }}
add column if not exists {{ quote(column.name) }} {{ column.type }} comment {{ literal(column.comment) }}
