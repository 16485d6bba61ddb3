-- Visits: what one device or user did without a longer pause, over all call types. Query it by started_at.
-- Grain: one session.
create table if not exists {{ t.sessions }} (
    session_id varchar comment 'Digest of its visitor and first event. Replaced ids are in session_aliases.',
    visitor_id varchar comment 'Whose: the anonymous id of the device, else the user id. PII.',
    started_at timestamp(6) with time zone comment 'Time of its first event.',
    ended_at timestamp(6) with time zone comment 'Time of its last event.',
    duration_seconds double comment 'From the first event to the last. Unit: seconds.',
    event_count bigint comment 'Events of every type.',
    page_count bigint comment 'Page calls.',
    screen_count bigint comment 'Screen calls.',
    track_count bigint comment 'Track calls.',
    conversion_count bigint comment 'Track calls of the events that count as conversions.',
    entry_step varchar comment 'First page (its path), screen or tracked event.',
    exit_step varchar comment 'Last page (its path), screen or tracked event.',
    entry_page_url varchar comment 'Address of the first page.',
    entry_page_path varchar comment 'Path of the first page.',
    exit_page_url varchar comment 'Address of the last page.',
    exit_page_path varchar comment 'Path of the last page.',
    referrer_url varchar comment 'First referrer that an event names.',
    campaign_name varchar comment 'Campaign of the first event that has any campaign value.',
    campaign_source varchar comment 'Source of that campaign.',
    campaign_medium varchar comment 'Medium of that campaign.',
    campaign_term varchar comment 'Keyword of that campaign.',
    campaign_content varchar comment 'Content of that campaign.',
    device_type varchar comment 'First kind of device named.',
    device_model varchar comment 'First device model named.',
    os_name varchar comment 'First operating system named.',
    app_name varchar comment 'First app named.',
    app_version varchar comment 'First version of an app named.',
    user_agent varchar comment 'First user agent named.',
    locale varchar comment 'First locale named.',
    timezone varchar comment 'First time zone named.',
    first_user_id varchar comment 'First user id in it; NULL while nobody is known. PII.',
    last_user_id varchar comment 'Last user id in it. PII.',
    user_count bigint comment 'Different user ids in it.',
    is_bounce boolean comment 'One page or screen and no track call.',
    is_capped boolean comment 'It was cut at the longest duration: the next session goes on with no pause.',
    first_message_id varchar comment 'Message id of its first event.',
    first_received_at timestamp(6) with time zone comment 'Earliest received_at of its events: where events has them.',
    last_received_at timestamp(6) with time zone comment 'Latest received_at of its events.',
    identified array(
        row(
            id varchar, user_id varchar, source varchar,
            valid_from timestamp(6) with time zone, last_seen_at timestamp(6) with time zone
        )
    ) comment 'Which ids were seen to be one person; the view identities reads it. PII.',
    former_ids array(
        row(session_id varchar, started_at timestamp(6) with time zone, model_run_id varchar)
    ) comment 'Ids that it, or a part of it, had before late events came; the view session_aliases reads it.',
    created_run_id varchar comment 'The run of model_sessions that made the row.',
    updated_run_id varchar comment 'The run of model_sessions that last changed it; NULL if none did.',
    modelled_at timestamp(6) with time zone comment 'When the row was last written.'
)
comment 'Visits: what one device or user did without a longer pause, over all call types. Query it by started_at.'
with (
    format = 'PARQUET',
    partitioning = array['day(started_at)'],
    sorted_by = array['started_at']
)
