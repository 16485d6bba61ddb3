{%- from "macros/batch.sql" import batch_lines -%}
-- The lines of further objects, where one statement cannot name all of a load's.
-- Grain: one line. Parameters: manifest, run_id, archive_integration.
insert into {{ t.batch_table(run_id) }}
{{ batch_lines(t, manifest, archive_integration, events, bind, bind_each, quote, literal) }}
