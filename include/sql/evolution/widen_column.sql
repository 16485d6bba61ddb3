-- A column whose new type holds every value of the old one. Parameters: altered (schema and name), column.
alter table {{ t.evolving(altered) }}
alter column {{ quote(column.name) }} set data type {{ column.type }}
