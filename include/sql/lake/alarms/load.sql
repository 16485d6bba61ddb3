-- Keeps one alarm, in place of what was kept of it before.
-- Grain: one alarm. Parameters: alarm (name, subject, severity, text, figures_json, opened_at, last_seen_at, closed_at,
-- told_json).
merge into {{ t.alarms }} as target
using (
    select
        {{ bind(alarm.name) }} as name,
        {{ bind(alarm.subject) }} as subject,
        {{ bind(alarm.severity) }} as severity,
        {{ bind(alarm.text) }} as text,
        {{ bind(alarm.figures_json) }} as figures,
        cast({{ bind(alarm.opened_at) }} as timestamp(6) with time zone) as opened_at,
        cast({{ bind(alarm.last_seen_at) }} as timestamp(6) with time zone) as last_seen_at,
        cast({{ bind(alarm.closed_at) }} as timestamp(6) with time zone) as closed_at,
        {{ bind(alarm.told_json) }} as told_at
) as source
    on target.name = source.name and target.subject = source.subject and target.opened_at = source.opened_at
when matched then
    update
        set
            severity = source.severity,
            text = source.text,
            figures = source.figures,
            last_seen_at = source.last_seen_at,
            closed_at = source.closed_at,
            told_at = source.told_at
when not matched then
    insert (name, subject, severity, text, figures, opened_at, last_seen_at, closed_at, told_at)
    values (
        source.name, source.subject, source.severity, source.text, source.figures, source.opened_at,
        source.last_seen_at, source.closed_at, source.told_at
    )
