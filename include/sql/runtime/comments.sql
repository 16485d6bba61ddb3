-- The comments of the tables and views of some schemas. Grain: one table or view. Parameters: catalog, schemas.
select
    schema_name,
    table_name,
    comment
from system.metadata.table_comments
where
    catalog_name = {{ bind(catalog) }}
    and schema_name in ({{ bind_each(schemas) }})
