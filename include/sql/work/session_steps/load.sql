{%- from "macros/sessions.sql" import context_columns, event_at, step, visitor -%}
{%- from "macros/time.sql" import within -%}
-- The events of the regions, each with the session that it falls into. A session goes on while an event comes within
-- the idle time of the one before it and within the longest duration of the first; at one instant, events are in the
-- order of their ids. A table of its own, since its readers would each walk the events anew.
-- Trino takes no parameter in DEFINE: those two numbers are written out.
-- Grain: one event. Parameters: run_id, rules, received (spans of received_at that hold every event of the regions).
create or replace table {{ t.session_steps(run_id) }} as
with region_events as (
    select
        regions.visitor_id,
        regions.starts_at as region_starts_at,
        {{ event_at("events", bind(rules.late_days)) }} as event_at,
        {{ step("events") }} as step,
        events.type in ('page', 'screen', 'track') as is_step,
        events.type = 'page' as is_page,
        if(
            coalesce(
                events.context_campaign_name, events.context_campaign_source, events.context_campaign_medium,
                events.context_campaign_term, events.context_campaign_content
            ) is not null,
            cast(
                row(
                    events.context_campaign_name, events.context_campaign_source, events.context_campaign_medium,
                    events.context_campaign_term, events.context_campaign_content
                ) as row(name varchar, source varchar, medium varchar, term varchar, content varchar)
            )
        ) as campaign,
        {%- for column in context_columns %}
        events.context_{{ column }},
        {%- endfor %}
        events.message_id,
        events.type,
        events.event,
        events.user_id,
        events.anonymous_id,
        events.previous_id,
        events.received_at,
        events.context_page_url,
        events.context_page_path,
        events.context_page_referrer,
        events.context_referrer_url
    from {{ t.events }} as events
    inner join {{ t.session_regions(run_id) }} as regions
        on
            {{ visitor("events") }} = regions.visitor_id
            and {{ event_at("events", bind(rules.late_days)) }} between regions.starts_at and regions.ends_at
    where
        {{ within("events.received_at", received, bind) }}
)

select *
from region_events match_recognize (
    partition by visitor_id, region_starts_at
    order by event_at asc, message_id asc
    measures
    match_number() as nth,
    running count(*) as position
    all rows per match
    after match skip past last row
    pattern (entry following*)
    define following as
    following.event_at <= prev(following.event_at) + interval '1' minute * {{ rules.idle_minutes | int }}
    and following.event_at <= first(entry.event_at) + interval '1' hour * {{ rules.longest_hours | int }}
)
