{%- from "macros/sessions.sql" import event_at, step, visitor -%}
-- Every event of every session, in order, with what came next. Query it by session_started_at: it then reads only the
-- hours in which those sessions' events were received.
-- Grain: one event of a session. Parameters: rules (written out: a view takes no parameter).
with located as (
    select
        sessions.session_id,
        sessions.started_at as session_started_at,
        sessions.visitor_id,
        {{ event_at("events", rules.late_days | int) }} as event_at,
        {{ step("events") }} as step,
        events.message_id,
        events.type,
        events.event,
        events.name,
        events.user_id,
        events.anonymous_id,
        events.context_page_path,
        events.context_page_url,
        events.context_page_title,
        events.properties,
        events.received_at
    from {{ t.events }} as events
    inner join {{ t.sessions }} as sessions
        on
            {{ visitor("events") }} = sessions.visitor_id
            and {{ event_at("events", rules.late_days | int) }} between sessions.started_at and sessions.ended_at
            and events.received_at between sessions.first_received_at and sessions.last_received_at
)

select
    *,
    row_number() over session as position,
    lead(step) over session as next_step,
    lead(type) over session as next_type,
    date_diff('millisecond', event_at, lead(event_at) over session) / 1000.0e0 as seconds_to_next
from located
window session as (
    partition by session_id, session_started_at, visitor_id
    order by event_at asc, message_id asc
)
