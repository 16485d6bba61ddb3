{%- from "macros/person.sql" import is_of_person -%}
-- How many rows of one table are a person's, and the days of their partitions.
-- Grain: one row. Parameters: altered (schema, name), rule, partition_column (or NULL),
-- run_id, ids, earlier, quoted_json.
select
    count(*) as found,
    {% if partition_column -%}
    json_format(cast(array_agg(distinct to_unixtime(date_trunc('day', {{ quote(partition_column) }}))) as json)) as days
    {%- else -%}
    null as days
    {%- endif %}
from {{ t.any_table(altered) }}
where
    {{ is_of_person(t, run_id, rule, ids, earlier, quoted_json, quote, bind, bind_each) | indent(4) }}
