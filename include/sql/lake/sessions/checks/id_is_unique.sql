-- Check (fail): an id that the run wrote is of more than one session, or also the former id of one.
-- Sessions of one id began at one instant, and one that has it as a former id at most the longest duration before.
-- Grain: one session id. Parameters: run_id, bounds (when those it wrote began), rules.
{%- from "macros/time.sql" import typed_instant %}
with written as (
    select session_id
    from {{ t.sessions }}
    where
        {{ bind(run_id) }} in (created_run_id, updated_run_id)
        and started_at between {{ bind(bounds.earliest) }} and {{ bind(bounds.latest) }}
),

-- Every session that can have one of these ids, also as a former one.
near as (
    select
        session_id,
        former_ids
    from {{ t.sessions }}
    where
        started_at >= {{ typed_instant(bounds.earliest, bind) }} - interval '1' hour * {{ bind(rules.longest_hours) }}
        and started_at <= {{ bind(bounds.latest) }}
),

ids as (
    select session_id
    from near
    union all
    select former.session_id
    from near
    cross join unnest(near.former_ids) as former (session_id, started_at, model_run_id)
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
