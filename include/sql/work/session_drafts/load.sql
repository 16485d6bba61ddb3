{%- from "macros/identified.sql" import identified_ctes -%}
{%- from "macros/sessions.sql" import context_columns, first_known, last_known -%}
-- The sessions of the regions, from their events.
-- Grain: one session. Parameters: run_id, rules.
create or replace table {{ t.session_drafts(run_id) }} as
with drafts as (
    select
        visitor_id,
        region_starts_at,
        nth,
        min_by(message_id, position) as first_message_id,
        min(event_at) as started_at,
        max(event_at) as ended_at,
        count(*) as event_count,
        count_if(is_page) as page_count,
        count_if(type = 'screen') as screen_count,
        count_if(type = 'track') as track_count,
        {% if rules.conversion_events -%}
        count_if(type = 'track' and event in ({{ bind_each(rules.conversion_events) }})) as conversion_count,
        {%- else -%}
        bigint '0' as conversion_count,
        {%- endif %}
        min_by(step, position) filter (where is_step) as entry_step,
        max_by(step, position) filter (where is_step) as exit_step,
        min_by(context_page_url, position) filter (where is_page) as entry_page_url,
        min_by(context_page_path, position) filter (where is_page) as entry_page_path,
        max_by(context_page_url, position) filter (where is_page) as exit_page_url,
        max_by(context_page_path, position) filter (where is_page) as exit_page_path,
        coalesce(
            {{ first_known("nullif(context_page_referrer, '')") }},
            {{ first_known("context_referrer_url") }}
        ) as referrer_url,
        {{ first_known("campaign") }} as campaign,
        {%- for column in context_columns %}
        {{ first_known("context_" ~ column) }} as {{ column }},
        {%- endfor %}
        {{ first_known("user_id") }} as first_user_id,
        {{ last_known("user_id") }} as last_user_id,
        count(distinct user_id) as user_count,
        min(received_at) as first_received_at,
        max(received_at) as last_received_at
    from {{ t.session_steps(run_id) }}
    group by visitor_id, region_starts_at, nth
),

{{ identified_ctes(t.session_steps(run_id)) }}

select
    lower(to_hex(substr(sha256(to_utf8(
        concat_ws(chr(10), drafts.visitor_id, drafts.first_message_id, to_iso8601(drafts.started_at at time zone 'UTC'))
    )), 1, 16))) as session_id,
    drafts.*,
    drafts.campaign.name as campaign_name,
    drafts.campaign.source as campaign_source,
    drafts.campaign.medium as campaign_medium,
    drafts.campaign.term as campaign_term,
    drafts.campaign.content as campaign_content,
    date_diff('millisecond', drafts.started_at, drafts.ended_at) / 1000.0e0 as duration_seconds,
    drafts.page_count + drafts.screen_count = 1 and drafts.track_count = 0 as is_bounce,
    coalesce(
        lead(drafts.started_at) over (
            partition by drafts.visitor_id, drafts.region_starts_at
            order by drafts.started_at
        ) <= drafts.ended_at + interval '1' minute * {{ bind(rules.idle_minutes) }},
        false
    ) as is_capped,
    coalesce(identified.identified, array[]) as identified
from drafts
left join identified
    on
        drafts.visitor_id = identified.visitor_id
        and drafts.region_starts_at = identified.region_starts_at
        and drafts.nth = identified.nth
