{%- from "macros/reconcile.sql" import archived_messages -%}
-- The messages of the archive of some hours, as counts and digests of their ids; of lines that are no message, which
-- have no bucket, the count.
-- Grain: one bucket of ids of an hour and source. Parameters: archive (folders, received, unreadable, failing),
-- archive_integration.
with {{ archived_messages(t, archive, archive_integration, events, bind, bind_each, quote, literal) }},

-- Each id once: an archive has a message at least once.
ids as (
    select
        received_hour,
        source,
        bucket,
        message_id,
        count(*) as lines
    from archived
    group by received_hour, source, bucket, message_id
)

select
    received_hour,
    source,
    bucket,
    count(message_id) as ids,
    sum(lines) as lines,
    to_hex(checksum(message_id)) as digest
from ids
group by received_hour, source, bucket
