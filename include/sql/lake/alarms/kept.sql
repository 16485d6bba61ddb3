-- Alarms that are open, those whose end somebody has not been told, and those about the runs that are looked at.
-- Grain: one alarm. Parameters: runs_since.
select
    name,
    subject,
    severity,
    text,
    figures,
    opened_at,
    last_seen_at,
    closed_at,
    told_at
from {{ t.alarms }}
where
    closed_at is null
    or (subject = '' and told_at <> '{}')
    or (subject <> '' and opened_at >= {{ bind(runs_since) }})
