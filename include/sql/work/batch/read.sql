-- Reads some objects to their end, to find out whether they can be read. Grain: one row. Parameters: paths.
select sum(length(line)) as characters
from {{ t.lines }}
where "$path" in ({{ bind_each(paths) }})
