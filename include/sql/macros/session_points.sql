{%- from "macros/sessions.sql" import event_at, visitor -%}
{#- What has changed since sessions were last modelled: the one place that decides which visitors are looked at, and
    where. A point is an instant of a visitor at which an event came, changed or went; a session that has one, or that
    one comes near to, is modelled again. -#}

{#- The CTE body that gives visitor_id, event_at, received_at. `changes` is clickstream.sessions.model.Changes. -#}
{%- macro session_points(t, changes, rules, bind, bind_each) %}
    select
        {{ visitor("events") }} as visitor_id,
        {{ event_at("events", bind(rules.late_days)) }} as event_at,
        events.received_at
    from {{ t.events }} as events
    where
        {{ visitor("events") }} is not null
        and events.received_at between {{ bind(changes.received.start) }} and {{ bind(changes.received.end) }}
        {%- if changes.window %}
        and {{ event_at("events", bind(rules.late_days)) }} >= {{ bind(changes.window.start) }}
        and {{ event_at("events", bind(rules.late_days)) }} < {{ bind(changes.window.end) }}
        {%- else %}
        and (
            events.load_run_id in ({{ bind_each(changes.run_ids) }})
            or events.update_run_id in ({{ bind_each(changes.run_ids) }})
        )
        {%- endif %}
    {%- if changes.window %}
    union all
    select
        sessions.visitor_id,
        sessions.started_at,
        sessions.first_received_at
    from {{ t.sessions }} as sessions
    where
        sessions.started_at < {{ bind(changes.window.end) }}
        and sessions.started_at
        >= {{ bind(changes.window.start) }} - interval '1' hour * {{ bind(rules.longest_hours) }}
        and sessions.ended_at >= {{ bind(changes.window.start) }}
    {%- endif %}
    {%- if changes.rebuilt %}
    union all
    select
        sessions.visitor_id,
        sessions.started_at,
        sessions.first_received_at
    from {{ t.sessions }} as sessions
    cross join
        unnest(
            cast(json_parse({{ bind(changes.rebuilt_json) }}) as array(row(starts_at varchar, ends_at varchar)))
        ) as span (starts_at, ends_at)
    where
        sessions.first_received_at <= cast(from_iso8601_timestamp_nanos(span.ends_at) as timestamp(6) with time zone)
        and sessions.last_received_at
        >= cast(from_iso8601_timestamp_nanos(span.starts_at) as timestamp(6) with time zone)
    {%- endif %}
{%- endmacro -%}
