{%- from "macros/retention.sql" import is_past -%}
-- Rows that were kept for as long as they may be go. Where the partitions are by the same column, they go as a whole:
-- one commit without reading or writing a file of data.
-- Grain: no rows. Parameters: altered (schema, name), table (its description), until (a boundary of partitions),
-- keeps_unsettled.
delete from {{ t.evolving(altered) }}
where
    {{ is_past(table, until, keeps_unsettled, quote, bind) | indent(4) }}
