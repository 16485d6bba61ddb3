-- Ids that sessions had before late events came, each with the session that has its first event now.
-- Grain: one former id.
select
    former.session_id as former_session_id,
    sessions.session_id,
    sessions.visitor_id,
    former.started_at as former_started_at,
    sessions.started_at,
    former.model_run_id
from {{ t.sessions }} as sessions
cross join unnest(sessions.former_ids) as former (session_id, started_at, model_run_id)
