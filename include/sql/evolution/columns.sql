-- The columns that the tables of some schemas have, in order. Grain: one column. Parameters: catalog, schemas.
select
    table_schem as table_schema,
    table_name,
    column_name,
    type_name as data_type,
    coalesce(remarks, '') as column_comment
from system.jdbc.columns
where
    table_cat = {{ bind(catalog) }}
    and table_schem in ({{ bind_each(schemas) }})
order by table_schem, table_name, ordinal_position
