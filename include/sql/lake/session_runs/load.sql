-- Stores what one run did and which loads it took, so that no later run takes them.
-- Grain: one run. Parameters: session_report, now.
insert into {{ t.session_runs }} (
    run_id, loads, rebuilt_from, rebuilt_to, points, visitors, sessions_new, sessions_changed, sessions_aliased,
    sessions_capped, modelled_at, first_started_at, last_started_at
)
select
    {{ bind(session_report.run_id) }} as run_id,
    transform(
        cast(json_parse({{ bind(session_report.changes.loads_json) }}) as array(array(varchar))),
        load -> cast(
            row(load[1], from_iso8601_timestamp_nanos(load[2]))
            as row(run_id varchar, reported_at timestamp(6) with time zone)
        )
    ) as loads,
    cast({{ bind(session_report.rebuilt_from) }} as timestamp(6) with time zone) as rebuilt_from,
    cast({{ bind(session_report.rebuilt_to) }} as timestamp(6) with time zone) as rebuilt_to,
    {{ bind(session_report.points) }} as points,
    {{ bind(session_report.visitors) }} as visitors,
    {{ bind(session_report.sessions_new) }} as sessions_new,
    {{ bind(session_report.sessions_changed) }} as sessions_changed,
    {{ bind(session_report.sessions_aliased) }} as sessions_aliased,
    {{ bind(session_report.sessions_capped) }} as sessions_capped,
    {{ bind(now) }} as modelled_at,
    cast({{ bind(session_report.first_started_at) }} as timestamp(6) with time zone) as first_started_at,
    cast({{ bind(session_report.last_started_at) }} as timestamp(6) with time zone) as last_started_at
