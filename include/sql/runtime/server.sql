-- Trino's version, its clock, and the time zone that the connection asked for. Grain: one row.
select
    node_version,
    current_timestamp as read_at,
    current_timezone() as time_zone
from system.runtime.nodes
where coordinator
