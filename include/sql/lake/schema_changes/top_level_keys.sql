-- The top-level keys that messages ever had, the oldest first: those that can be the name of a column.
-- Grain: one key. Parameters: key_limit.
select regexp_extract(path, '^\$\.([A-Za-z_][A-Za-z0-9_]*)$', 1) as member_key
from {{ t.schema_changes }}
where change = 'new_key' and regexp_like(path, '^\$\.[A-Za-z_][A-Za-z0-9_]*$')
order by recorded_at asc, path asc
limit {{ bind(key_limit) }}
