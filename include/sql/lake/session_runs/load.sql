-- Stores what one run did and which loads it took, so that no later run takes them.
-- Grain: one run. Parameters: session_report, now.
insert into {{ t.session_runs }} (
    run_id, loads, rebuilt_from, rebuilt_to, points, visitors, sessions_new, sessions_changed, sessions_aliased,
    sessions_capped, modelled_at
)
select
    {{ bind(session_report.run_id) }} as run_id,
    array[
        {%- for load in session_report.changes.loads %}
        cast(
            row({{ bind(load.run_id) }}, {{ bind(load.reported_at) }}) as row(
                run_id varchar, reported_at timestamp(6) with time zone
            )
        ){{ "," if not loop.last }}
        {%- endfor %}
    ] as loads,
    cast({{ bind(session_report.rebuilt_from) }} as timestamp(6) with time zone) as rebuilt_from,
    cast({{ bind(session_report.rebuilt_to) }} as timestamp(6) with time zone) as rebuilt_to,
    {{ bind(session_report.points) }} as points,
    {{ bind(session_report.visitors) }} as visitors,
    {{ bind(session_report.sessions_new) }} as sessions_new,
    {{ bind(session_report.sessions_changed) }} as sessions_changed,
    {{ bind(session_report.sessions_aliased) }} as sessions_aliased,
    {{ bind(session_report.sessions_capped) }} as sessions_capped,
    {{ bind(now) }} as modelled_at
