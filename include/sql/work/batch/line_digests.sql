{%- from "macros/lines.sql" import lines_of -%}
-- The digests of the lines of some objects. Grain: one line. Parameters: manifest.
with lines as (
    {{- lines_of(t, manifest, bind_each) }}
)

select distinct to_hex(sha256(to_utf8(line))) as line_digest
from lines
