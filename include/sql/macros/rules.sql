{#- The rules of the tracking plan, as work/rules holds them. -#}

{#- Rules out of JSON texts, some rules each; `pieces` are the bound texts, with commas between. -#}
{%- macro rules_in(pieces) -%}
select
    rule.table_name,
    rule.path,
    rule.property,
    rule.types,
    rule.enum_values,
    rule.format,
    rule.pattern,
    rule.minimum,
    rule.maximum,
    rule.required,
    rule.column_name,
    rule.column_type,
    rule.severity
from unnest(array[{{ pieces }}]) as listed (piece)
cross join
    unnest(
        cast(
            json_parse(listed.piece) as array(
                row(
                    table_name varchar,
                    path array(varchar),
                    property varchar,
                    types array(varchar),
                    enum_values array(varchar),
                    format varchar,
                    pattern varchar,
                    minimum double,
                    maximum double,
                    required array(varchar),
                    column_name varchar,
                    column_type varchar,
                    severity varchar
                )
            )
        )
    ) as rule (
        table_name, path, property, types, enum_values, format, pattern, minimum, maximum,
        required, column_name, column_type, severity
    )
{%- endmacro -%}
