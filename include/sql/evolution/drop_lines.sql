-- A table over raw lines that is over another folder than the settings say. It holds no data of its own.
-- Parameters: lines (its name).
drop table if exists {{ t.raw_lines(lines) }}
