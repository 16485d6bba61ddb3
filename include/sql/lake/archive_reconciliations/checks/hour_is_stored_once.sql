-- Check (fail): what was found of an hour and source is stored more than once.
-- Grain: one hour and source. Parameters: none.
select
    received_hour as received_at,
    source as name,
    count(*) as copies
from {{ t.archive_reconciliations }}
group by received_hour, source
having count(*) > 1
order by received_at, name
limit 20
