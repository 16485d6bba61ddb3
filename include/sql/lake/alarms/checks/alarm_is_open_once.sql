-- Check (fail): an alarm is open twice at a time.
-- Grain: one alarm.
select
    name,
    subject,
    count(*) as copies
from {{ t.alarms }}
where closed_at is null
group by name, subject
having count(*) > 1
order by name, subject
limit 20
