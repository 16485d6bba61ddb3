{#- Which rows have been kept for as long as they may be. -#}

{#- A rejected line that can be sent again and was not. Erased ones, whose line is NULL, count too: to read all lines
    for these few would cost more than everything else. -#}
{%- macro is_unsettled() -%}
redriven_at is null and reason not in ('blank', 'suppressed')
{%- endmacro -%}

{#- Rows older than a boundary of partitions. Where another column counts than that of the partitions, a row is in the
    partition of something earlier: the filter only saves reading. -#}
{%- macro is_past(table, until, keeps_unsettled, quote, bind) -%}
{{ quote(table.retention.after) }} < {{ bind(until) }}
{%- if table.partitioned_by and table.partitioned_by.column != table.retention.after %}
and {{ quote(table.partitioned_by.column) }} < {{ bind(until) }}
{%- endif %}
{%- if table.retention.blank %}
and {{ quote(table.retention.blank) }} is not null
{%- endif %}
{%- if keeps_unsettled %}
and not ({{ is_unsettled() }})
{%- endif %}
{%- endmacro -%}
