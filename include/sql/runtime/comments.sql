-- The comments of the tables and views of some schemas. Grain: one table or view. Parameters: schemas.
select
    schema_name,
    table_name,
    comment
from system.metadata.table_comments
where
    catalog_name = {{ bind(schemas.catalog) }}
    and schema_name in ({{ bind_each(schemas.names) }})
