{%- from "macros/rules.sql" import rules_in -%}
-- What the tracking plan says about each place in the properties of the events that one run brought.
-- Grain: one place in the properties of one event. Parameters: run_id, rule_pieces (JSON texts, a piece each).
create or replace table {{ t.rules(run_id) }}
with (format = 'PARQUET')
as
{{ rules_in(bind_each(rule_pieces)) }}
