-- Every message once, of all sources and call types. Query it by received_at: an hour is one partition.
-- Grain: one message.
create table if not exists "lake"."clickstream"."events" (
    "message_id" varchar comment 'Unique id of the message; the key of the table.',
    "type" varchar comment 'Call type in lower case: track, page, screen, identify, group or alias.',
    "event" varchar comment 'Name of the tracked event as a slug: lower case, words joined by underscores, letters of any script kept.',
    "event_text" varchar comment 'Name of the tracked event as it was sent.',
    "user_id" varchar comment 'Id of the known user, from the sender.',
    "anonymous_id" varchar comment 'Id of the device or browser before and after the user is known.',
    "group_id" varchar comment 'Id of the group (account, organisation) of a group call.',
    "previous_id" varchar comment 'The id that an alias call replaces by user_id.',
    "name" varchar comment 'Name of the page or screen.',
    "category" varchar comment 'Category of the page or screen.',
    "channel" varchar comment 'Where the call was made: client or server.',
    "version" varchar comment 'Version of the message format.',
    "project_id" varchar comment 'Id of the Segment source that received the message.',
    "received_at" timestamp(6) with time zone comment 'When Segment received the message (its clock). Partition and sort clock. Where the message has none: staged_at.',
    "timestamp" timestamp(6) with time zone comment 'When it happened, corrected for the skew of the sender''s clock; for analysis. Where the message has none: original_timestamp, else sent_at, else received_at.',
    "original_timestamp" timestamp(6) with time zone comment 'When it happened, by the sender''s clock.',
    "sent_at" timestamp(6) with time zone comment 'When it was sent, by the sender''s clock.',
    "is_late" boolean comment 'It happened more than 24 hours before it was received.',
    "is_future" boolean comment 'It claims to happen more than 5 minutes after it was received.',
    "context_active" boolean comment 'Whether the user was active in the product.',
    "context_app_name" varchar comment 'Name of the app.',
    "context_app_version" varchar comment 'Version of the app.',
    "context_app_build" varchar comment 'Build of the app.',
    "context_app_namespace" varchar comment 'Bundle or package name of the app.',
    "context_campaign_name" varchar comment 'Campaign (utm_campaign).',
    "context_campaign_source" varchar comment 'Campaign source (utm_source).',
    "context_campaign_medium" varchar comment 'Campaign medium (utm_medium).',
    "context_campaign_term" varchar comment 'Campaign keyword (utm_term).',
    "context_campaign_content" varchar comment 'Campaign content (utm_content).',
    "context_channel" varchar comment 'Where the call was made, as the library says: server, browser or mobile.',
    "context_device_id" varchar comment 'Id of the device.',
    "context_device_advertising_id" varchar comment 'Advertising id of the device (IDFA, AAID).',
    "context_device_ad_tracking_enabled" boolean comment 'Whether the device lets apps track for advertising.',
    "context_device_manufacturer" varchar comment 'Maker of the device.',
    "context_device_model" varchar comment 'Model of the device.',
    "context_device_name" varchar comment 'Name of the device.',
    "context_device_type" varchar comment 'Kind of device: ios, android, ...',
    "context_device_token" varchar comment 'Push token of the device.',
    "context_device_version" varchar comment 'Version of the device.',
    "context_group_id" varchar comment 'Group of the user at the time of the call.',
    "context_ip" varchar comment 'IP address of the sender.',
    "context_library_name" varchar comment 'Name of the sending library.',
    "context_library_version" varchar comment 'Version of the sending library.',
    "context_locale" varchar comment 'Locale, such as ko-KR.',
    "context_network_bluetooth" boolean comment 'Whether Bluetooth was on.',
    "context_network_carrier" varchar comment 'Mobile carrier.',
    "context_network_cellular" boolean comment 'Whether the mobile network was in use.',
    "context_network_wifi" boolean comment 'Whether Wi-Fi was in use.',
    "context_os_name" varchar comment 'Operating system.',
    "context_os_version" varchar comment 'Version of the operating system.',
    "context_page_path" varchar comment 'Path of the page the call was made from.',
    "context_page_referrer" varchar comment 'Page before this one, as the browser says.',
    "context_page_search" varchar comment 'Query string of the page.',
    "context_page_title" varchar comment 'Title of the page.',
    "context_page_url" varchar comment 'Full address of the page.',
    "context_referrer_id" varchar comment 'Id of what referred the user.',
    "context_referrer_type" varchar comment 'Kind of referrer.',
    "context_referrer_name" varchar comment 'Name of the referrer.',
    "context_referrer_url" varchar comment 'Address of the referrer.',
    "context_referrer_link" varchar comment 'Link of the referrer.',
    "context_screen_width" double comment 'Width of the screen, in pixels.',
    "context_screen_height" double comment 'Height of the screen, in pixels.',
    "context_screen_density" double comment 'Density of the screen, in device pixels per pixel.',
    "context_timezone" varchar comment 'IANA time zone of the sender.',
    "context_traits" varchar comment 'Traits of the user at the time of the call, as JSON text.',
    "context_user_agent" varchar comment 'User agent of the browser or library.',
    "context_user_agent_data_brands" varchar comment 'Brands of the user agent client hints, as JSON text.',
    "context_user_agent_data_mobile" boolean comment 'Mobile flag of the user agent client hints.',
    "context_user_agent_data_platform" varchar comment 'Platform of the user agent client hints.',
    "context" varchar comment 'The whole context, as JSON text.',
    "properties" varchar comment 'The properties of a track, page or screen call, as JSON text.',
    "traits" varchar comment 'The traits of an identify or group call, as JSON text.',
    "integrations" varchar comment 'Which destinations the sender asked for, as JSON text.',
    "extras" varchar comment 'Top-level keys of the message that have no column here, as a JSON object; NULL when there are none.',
    "source_path" varchar comment 'The staged object that the row was read from.',
    "staged_at" timestamp(6) with time zone comment 'When that object was staged.',
    loaded_at timestamp(6) with time zone comment 'When the row was loaded.',
    load_run_id varchar comment 'The run of load_events that loaded the row.'
)
comment 'Every message once, of all sources and call types. Query it by received_at: an hour is one partition.'
with (
    format = 'PARQUET',
    partitioning = array['hour(received_at)'],
    sorted_by = array['received_at']
);

-- Lines that could not be read as a message, whole, with the reason.
-- Grain: one line of one staged object.
create table if not exists "lake"."clickstream"."rejects" (
    reject_id varchar comment 'Digest of path, line and occurrence: the same line loaded twice is one row.',
    reason varchar comment 'blank, too_deep, missing_newline, not_json, not_object or no_message_id.',
    line varchar comment 'The line as it was read.',
    source_path varchar comment 'The staged object that it was read from.',
    staged_at timestamp(6) with time zone comment 'When that object was staged.',
    rejected_at timestamp(6) with time zone comment 'When the load met it first.',
    load_run_id varchar comment 'The run of load_events that met it first.',
    redriven_at timestamp(6) with time zone comment 'When redrive_failed sent it again; NULL if it did not.',
    redrive_run_id varchar comment 'The run of redrive_failed that sent it again.'
)
comment 'Lines that could not be read as a message, whole, with the reason.'
with (
    format = 'PARQUET',
    partitioning = array['day(staged_at)']
);

-- Values that did not fit their column: the column is NULL, the value is here, the rest of the row is in `events`.
-- Grain: one value of one message.
create table if not exists "lake"."clickstream"."discards" (
    message_id varchar comment 'The message.',
    column_name varchar comment 'The column of events that is NULL for it.',
    value varchar comment 'The value as JSON text.',
    wanted_type varchar comment 'What the column holds: text, boolean, double or timestamp.',
    reason varchar comment 'wrong_type (of JSON) or bad_value (a string or number that does not say one).',
    received_at timestamp(6) with time zone comment 'When the message was received.',
    source_path varchar comment 'The staged object that it was read from.',
    discarded_at timestamp(6) with time zone comment 'When it was loaded.',
    load_run_id varchar comment 'The run of load_events that loaded it.'
)
comment 'Values that did not fit their column.'
with (
    format = 'PARQUET',
    partitioning = array['day(received_at)']
);

-- Staged objects that cannot be read, set aside so that the others load. Take the row out to have it loaded again.
-- Grain: one object.
create table if not exists "lake"."clickstream"."quarantine" (
    source_path varchar comment 'The staged object.',
    copy_path varchar comment 'Where a copy of it is kept, beyond the life of staging.',
    bytes bigint comment 'Its size, in bytes.',
    reason varchar comment 'Why it cannot be read, as the reader says.',
    staged_at timestamp(6) with time zone comment 'When it was staged.',
    quarantined_at timestamp(6) with time zone comment 'When it was set aside.',
    load_run_id varchar comment 'The run of load_events that met it.'
)
comment 'Staged objects that cannot be read, set aside so that the others load.'
with (
    format = 'PARQUET'
);

-- What became of every line of every staged object: what "not yet loaded", expiry and reports are decided from.
-- Grain: one staged object and one run that loaded it.
create table if not exists "lake"."clickstream"."load_ledger" (
    source_path varchar comment 'The staged object.',
    run_id varchar comment 'The run of load_events.',
    bytes bigint comment 'Size of the object, in bytes.',
    rows_read bigint comment 'Lines read from it.',
    rows_loaded bigint comment 'Rows of events that this run took from it.',
    rows_duplicate bigint comment 'Lines whose message was in events already, or earlier in this batch.',
    rows_rejected bigint comment 'Lines that could not be read as a message.',
    rejected_by_reason map (varchar, bigint) comment 'The rejected lines by reason.',
    first_received_at timestamp(6) with time zone comment 'Earliest received_at of its messages.',
    last_received_at timestamp(6) with time zone comment 'Latest received_at of its messages.',
    staged_at timestamp(6) with time zone comment 'When the object was staged.',
    loaded_at timestamp(6) with time zone comment 'When the run loaded it.'
)
comment 'What became of every line of every staged object.'
with (
    format = 'PARQUET',
    partitioning = array['day(staged_at)']
);

-- The report of every run of load_events. Grain: one run.
create table if not exists "lake"."clickstream"."load_runs" (
    run_id varchar comment 'The run of load_events.',
    objects bigint comment 'Staged objects read.',
    bytes bigint comment 'Their size, in bytes.',
    rows_read bigint comment 'Lines read: loaded + duplicate + rejected.',
    rows_loaded bigint comment 'Rows added to events.',
    rows_duplicate bigint comment 'Lines whose message was there already.',
    rows_rejected bigint comment 'Lines kept in rejects.',
    values_discarded bigint comment 'Single values kept in discards.',
    rejected_by_reason varchar comment 'Rejected lines by reason, as JSON.',
    rows_by_delay varchar comment 'Loaded rows by how late they came, as JSON.',
    first_received_at timestamp(6) with time zone comment 'Earliest received_at of its messages.',
    last_received_at timestamp(6) with time zone comment 'Latest received_at of its messages.',
    reported_at timestamp(6) with time zone comment 'When the report was made.'
)
comment 'The report of every run of load_events.'
with (
    format = 'PARQUET'
);
