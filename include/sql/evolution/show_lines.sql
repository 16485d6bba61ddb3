-- How a table over raw lines was made; its text has the folder that it is over. Grain: one row. Parameters: lines (its
-- name).
show create table {{ t.raw_lines(lines) }}
