-- The schemas that one catalog shows. Grain: one schema. Parameters: catalog.
select table_schem as schema_name
from system.jdbc.schemas
where table_catalog = {{ bind(catalog) }}
