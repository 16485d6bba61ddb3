{%- from "macros/batch.sql" import batch_lines -%}
-- One load's lines, read once: every line of its manifest as typed columns, or with the reason why it is rejected.
-- Everything else that the load writes is taken from here, so all of it agrees. Duplicates are still in it.
-- Grain: one line. Parameters: manifest, run_id, archive_integration.
create or replace table {{ t.batch_table(run_id) }}
with (format = 'PARQUET')
as
{{ batch_lines(t, manifest, archive_integration, events, bind, bind_each, quote, literal) }}
