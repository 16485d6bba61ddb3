-- The catalogs and the connector of each. Grain: one catalog.
select
    catalog_name,
    connector_name
from system.metadata.catalogs
