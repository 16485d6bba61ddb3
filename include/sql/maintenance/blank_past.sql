{%- from "macros/retention.sql" import is_past -%}
-- The value in rows that were kept for as long as it may be becomes NULL; the rest of the row is about all messages.
-- Grain: no rows. Parameters: altered (schema, name), table (its description), until, keeps_unsettled.
update {{ t.evolving(altered) }}
set {{ quote(table.retention.blank) }} = null
where
    {{ is_past(table, until, keeps_unsettled, quote, bind) | indent(4) }}
