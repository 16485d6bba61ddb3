-- Which of these staged objects Trino finds. Grain: one object. Parameters: paths.
select distinct "$path" as path
from {{ t.lines }}
where "$path" in ({{ bind_each(paths) }})
