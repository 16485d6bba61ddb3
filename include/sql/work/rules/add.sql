{%- from "macros/rules.sql" import rules_in -%}
-- More rules, where one statement cannot hold the text of all of them.
-- Grain: one place in the properties of one event. Parameters: run_id, rule_pieces (JSON texts, some rules each).
insert into {{ t.rules(run_id) }}
{{ rules_in(bind_each(rule_pieces)) }}
