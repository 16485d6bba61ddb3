{#- What a row of load_ledger says. -#}

{#- Whether the run accounted for every row of the object. If not, the object is to be loaded again. -#}
{%- set adds_up = "rows_read = rows_loaded + rows_duplicate + rows_rejected" -%}
