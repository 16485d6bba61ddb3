-- Digests of the ids that earlier runs of an erasure looked for. Grain: one id. Parameters: erasure_id.
select distinct listed.id_digest
from {{ t.erasures }} as erasures
cross join unnest(erasures.id_digests) as listed (id_digest)
where erasures.erasure_id = {{ bind(erasure_id) }}
