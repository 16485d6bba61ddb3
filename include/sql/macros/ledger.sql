{#- What a row of load_ledger says. -#}

{#- Whether an object has content and no line was read of it: it was looked for in another place. Of an archived object
    only what the run is asked for counts, which may be nothing. -#}
{%- macro is_unread(t) -%}
bytes > 0 and rows_read = 0 and starts_with(source_path, {{ t.staging_location | literal }})
{%- endmacro -%}

{#- Whether the run accounted for every row of the object. If not, the object is to be loaded again. -#}
{%- macro adds_up(t) -%}
rows_read = rows_loaded + rows_duplicate + rows_rejected and not ({{ is_unread(t) }})
{%- endmacro -%}
