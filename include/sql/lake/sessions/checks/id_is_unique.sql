-- Check (fail): an id that the run wrote is of more than one session, or also the former id of one.
-- Grain: one session id. Parameters: run_id.
with written as (
    select session_id
    from {{ t.sessions }}
    where {{ bind(run_id) }} in (created_run_id, updated_run_id)
),

ids as (
    select session_id
    from {{ t.sessions }}
    union all
    select former.session_id
    from {{ t.sessions }} as sessions
    cross join unnest(sessions.former_ids) as former (session_id, started_at, model_run_id)
)

select
    session_id,
    count(*) as copies
from ids
where session_id in (select written.session_id from written)
group by session_id
having count(*) > 1
order by copies desc, session_id asc
limit 20
