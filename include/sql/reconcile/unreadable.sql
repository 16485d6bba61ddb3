-- Objects of the archive that loads set aside. Grain: one object. Parameters: staged (the hours of their folders).
select source_path
from {{ t.quarantine }}
where
    not starts_with(source_path, {{ literal(t.staging_location) }})
    and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
