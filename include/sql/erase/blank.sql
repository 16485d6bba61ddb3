{%- from "macros/person.sql" import is_of_person -%}
-- The column of a person's rows that holds a value becomes NULL; the rest of the row is about all messages.
-- Grain: no rows. Parameters: altered (schema, name), rule (with `blank`), run_id, ids, earlier, quoted_json.
update {{ t.any_table(altered) }}
set {{ quote(rule.blank) }} = null
where
    {{ is_of_person(t, run_id, rule, ids, earlier, quoted_json, quote, bind, bind_each) | indent(4) }}
