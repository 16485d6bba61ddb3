{%- from "macros/person.sql" import is_of_person -%}
-- A person's rows of one table go.
-- Grain: no rows. Parameters: altered (schema, name), rule, run_id, ids, earlier, quoted_json.
delete from {{ t.any_table(altered) }}
where
    {{ is_of_person(t, run_id, rule, ids, earlier, quoted_json, quote, bind, bind_each) | indent(4) }}
