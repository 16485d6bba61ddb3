{%- from "macros/lines.sql" import lines_of -%}
-- Reads some objects to their end, to find out whether they can be read. Grain: one row. Parameters: manifest.
with lines as (
    {{- lines_of(t, manifest, bind_each) }}
)

select sum(length(line)) as characters
from lines
