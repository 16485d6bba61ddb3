{%- from "macros/lines.sql" import lines_of -%}
-- From which key to which the lines of some objects are. Grain: one row; both NULL when there are none.
-- Parameters: manifest.
with lines as (
    {{- lines_of(t, manifest, bind_each) }}
)

select
    min({{ keys.line }}) as low,
    max({{ keys.line }}) as high
from lines
