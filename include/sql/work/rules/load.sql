-- What the tracking plan says about each place in the properties of the events that one run brought.
-- Grain: one place in the properties of one event. Parameters: run_id, rule_pieces (JSON texts, a piece each).
create or replace table {{ t.rules(run_id) }}
with (format = 'PARQUET')
as
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
from unnest(array[{{ bind_each(rule_pieces) }}]) as listed (piece)
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
