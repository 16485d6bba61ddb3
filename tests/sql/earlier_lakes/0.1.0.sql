-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."alarms" (
    "name" varchar comment 'Which alarm; docs/alarms.md lists them.',
    "subject" varchar comment 'The run of load_events that it is about; empty for a state of the pipeline.',
    "severity" varchar comment 'warning or critical.',
    "text" varchar comment 'What is wrong and what to do, as it was last told.',
    "figures" varchar comment 'The figures that it was decided from, as a JSON object.',
    "opened_at" timestamp(6) with time zone comment 'When it was first seen.',
    "last_seen_at" timestamp(6) with time zone comment 'When it was last seen.',
    "closed_at" timestamp(6) with time zone comment 'When it was over; NULL before. At once for one about a run.',
    "told_at" varchar comment 'When each destination was last told, as a JSON object; one told of the end is out.'
)
comment 'What watch_pipeline found wrong, when, and whom it told.'
with (
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."discards" (
    "message_id" varchar comment 'The message.',
    "column_name" varchar comment 'The column of events that is NULL for it, or table.column of its event.',
    "value" varchar comment 'The value as JSON text. PII.',
    "wanted_type" varchar comment 'What the column holds, such as text, double or decimal(18,2).',
    "reason" varchar comment 'wrong_type (of JSON) or bad_value (a string or number that does not say one).',
    "received_at" timestamp(6) with time zone comment 'When the message was received.',
    "source_path" varchar comment 'The staged object that it was read from.',
    "discarded_at" timestamp(6) with time zone comment 'When it was loaded.',
    "load_run_id" varchar comment 'The run of load_events that loaded it.'
)
comment 'Values that did not fit their column.'
with (
    partitioning = array['day(received_at)'],
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."events" (
    "message_id" varchar comment 'Unique id of the message; the key of the table.',
    "type" varchar comment 'Call type in lower case: track, page, screen, identify, group or alias.',
    "event" varchar comment 'Name of the tracked event as a slug: lower case, words joined by underscores, letters of any script kept.',
    "event_text" varchar comment 'Name of the tracked event as it was sent.',
    "user_id" varchar comment 'Id of the known user, from the sender. PII.',
    "anonymous_id" varchar comment 'Id of the device or browser before and after the user is known. PII.',
    "group_id" varchar comment 'Id of the group (account, organisation) of a group call.',
    "previous_id" varchar comment 'The id that an alias call replaces by user_id. PII.',
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
    "context_device_id" varchar comment 'Id of the device. PII.',
    "context_device_advertising_id" varchar comment 'Advertising id of the device (IDFA, AAID). PII.',
    "context_device_ad_tracking_enabled" boolean comment 'Whether the device lets apps track for advertising.',
    "context_device_manufacturer" varchar comment 'Maker of the device.',
    "context_device_model" varchar comment 'Model of the device.',
    "context_device_name" varchar comment 'Name of the device. PII.',
    "context_device_type" varchar comment 'Kind of device: ios, android, ...',
    "context_device_token" varchar comment 'Push token of the device. PII.',
    "context_device_version" varchar comment 'Version of the device.',
    "context_group_id" varchar comment 'Group of the user at the time of the call.',
    "context_ip" varchar comment 'IP address of the sender. PII.',
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
    "context_screen_width" double comment 'Width of the screen. Unit: pixels.',
    "context_screen_height" double comment 'Height of the screen. Unit: pixels.',
    "context_screen_density" double comment 'Density of the screen. Unit: device pixels per pixel.',
    "context_timezone" varchar comment 'IANA time zone of the sender.',
    "context_traits" varchar comment 'Traits of the user at the time of the call, as JSON text. PII.',
    "context_user_agent" varchar comment 'User agent of the browser or library.',
    "context_user_agent_data_brands" varchar comment 'Brands of the user agent client hints, as JSON text.',
    "context_user_agent_data_mobile" boolean comment 'Mobile flag of the user agent client hints.',
    "context_user_agent_data_platform" varchar comment 'Platform of the user agent client hints.',
    "context" varchar comment 'The whole context, as JSON text. PII.',
    "properties" varchar comment 'The properties of a track, page or screen call, as JSON text. PII.',
    "traits" varchar comment 'The traits of an identify or group call, as JSON text. PII.',
    "integrations" varchar comment 'Which destinations the sender asked for, as JSON text.',
    "extras" varchar comment 'Top-level keys of the message that have no column here, as a JSON object; NULL when there are none. PII.',
    "source_path" varchar comment 'The staged object that the row was read from.',
    "staged_at" timestamp(6) with time zone comment 'When that object was staged.',
    "loaded_at" timestamp(6) with time zone comment 'When the row was loaded.',
    "load_run_id" varchar comment 'The run of load_events that loaded the row.',
    "updated_at" timestamp(6) with time zone comment 'When the row was last derived again and changed; NULL if never.',
    "update_run_id" varchar comment 'The run of load_events that changed it then.'
)
comment 'Every message once, of all sources and call types. Query it by received_at: an hour is one partition.'
with (
    partitioning = array['hour(received_at)'],
    sorted_by = array['received_at'],
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."load_ledger" (
    "source_path" varchar comment 'The staged object.',
    "run_id" varchar comment 'The run of load_events.',
    "bytes" bigint comment 'Size of the object. Unit: bytes.',
    "rows_read" bigint comment 'Lines read from it.',
    "rows_loaded" bigint comment 'Rows of events that this run took from it.',
    "rows_duplicate" bigint comment 'Lines whose message was in events already, or earlier in this batch.',
    "rows_rejected" bigint comment 'Lines that could not be read as a message.',
    "rejected_by_reason" map (varchar, bigint) comment 'The rejected lines by reason.',
    "first_received_at" timestamp(6) with time zone comment 'Earliest received_at of its messages.',
    "last_received_at" timestamp(6) with time zone comment 'Latest received_at of its messages.',
    "staged_at" timestamp(6) with time zone comment 'When the object was staged.',
    "loaded_at" timestamp(6) with time zone comment 'When the run loaded it.'
)
comment 'What became of every line of every staged object.'
with (
    partitioning = array['day(staged_at)'],
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."load_runs" (
    "run_id" varchar comment 'The run of load_events.',
    "objects" bigint comment 'Staged objects read.',
    "bytes" bigint comment 'Their size. Unit: bytes.',
    "rows_read" bigint comment 'Lines read: loaded + duplicate + rejected.',
    "rows_loaded" bigint comment 'Rows added to events.',
    "rows_duplicate" bigint comment 'Lines whose message was there already.',
    "rows_rejected" bigint comment 'Lines kept in rejects.',
    "values_discarded" bigint comment 'Single values kept in discards.',
    "rows_updated" bigint comment 'Of the duplicate ones, those whose row was derived again and changed.',
    "rejected_by_reason" varchar comment 'Rejected lines by reason, as JSON.',
    "rows_by_delay" varchar comment 'Loaded rows by how late they came, as JSON.',
    "violations_by_event" varchar comment 'Messages loaded, and those that break a rule of the plan, by event, as JSON.',
    "tables_failed" varchar comment 'Tables that could not be filled, or lack some messages, with the reason, as JSON.',
    "first_received_at" timestamp(6) with time zone comment 'Earliest received_at of its messages.',
    "last_received_at" timestamp(6) with time zone comment 'Latest received_at of its messages.',
    "reported_at" timestamp(6) with time zone comment 'When the report was made.'
)
comment 'The report of every run of load_events.'
with (
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."plan_diff" (
    "kind" varchar comment 'undeclared_event, undeclared_property, other_type, unseen_event or unseen_property.',
    "event" varchar comment 'Name of the event in the plan, or of an undeclared one as it was sent last.',
    "property" varchar comment 'The property, such as products[].price; empty for the event as a whole.',
    "declared_types" varchar comment 'JSON Schema types of the plan; NULL where it has none.',
    "seen_types" varchar comment 'JSON Schema types that were sent, with messages; of an event, how many properties.',
    "messages" bigint comment 'Messages with it; of items of arrays, those of each type added up.',
    "first_seen_at" timestamp(6) with time zone comment 'When the first of them was received, in the days compared.',
    "last_seen_at" timestamp(6) with time zone comment 'When the last of them was received.',
    "example" varchar comment 'The value in the first of them as JSON text, 200 characters at most. PII.',
    "message_id" varchar comment 'The message that the example is from.',
    "entry" varchar comment 'What to paste into the tracking plan, as YAML: an entry, or a line of properties.',
    "seen_since" timestamp(6) with time zone comment 'Messages received from then on were compared.',
    "compared_at" timestamp(6) with time zone comment 'When the comparison was made.'
)
comment 'How what is sent differs from the tracking plan, as compare_plan last found it.'
with (
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."quarantine" (
    "source_path" varchar comment 'The staged object.',
    "copy_path" varchar comment 'Where a copy of it is kept, beyond the life of staging.',
    "bytes" bigint comment 'Its size. Unit: bytes.',
    "reason" varchar comment 'Why it cannot be read, as the reader says.',
    "staged_at" timestamp(6) with time zone comment 'When it was staged.',
    "quarantined_at" timestamp(6) with time zone comment 'When it was set aside.',
    "load_run_id" varchar comment 'The run of load_events that met it.'
)
comment 'Staged objects that cannot be read, set aside so that the others load.'
with (
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."rejects" (
    "reject_id" varchar comment 'Digest of path, line and occurrence: the same line loaded twice is one row.',
    "reason" varchar comment 'blank, too_deep, number_too_long, missing_newline, not_json, not_object, no_message_id or load_failed.',
    "line" varchar comment 'The line as it was read. PII.',
    "source_path" varchar comment 'The staged object that it was read from.',
    "staged_at" timestamp(6) with time zone comment 'When that object was staged.',
    "rejected_at" timestamp(6) with time zone comment 'When the load met it first.',
    "load_run_id" varchar comment 'The run of load_events that met it first.',
    "redriven_at" timestamp(6) with time zone comment 'When redrive_failed sent it again; NULL if it did not.',
    "redrive_run_id" varchar comment 'The run of redrive_failed that sent it again.'
)
comment 'Lines that could not be read as a message, whole, with the reason.'
with (
    partitioning = array['day(staged_at)'],
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."schema_changes" (
    "path" varchar comment 'The key as a JSON path, such as $.userId, $.context.app or $.properties["a.b"].',
    "json_type" varchar comment 'Type of its value: object, array, string, number or boolean.',
    "change" varchar comment 'new_key (never met before) or new_type (met before, with a value of another type).',
    "case_twin_of" varchar comment 'The path that was there first and differs in upper and lower case only, if there is.',
    "message_count" bigint comment 'About how many messages of the run have it.',
    "example" varchar comment 'A value, 200 characters at most: a string as it is, anything else as JSON text. PII.',
    "message_id" varchar comment 'The message that the example is from.',
    "type" varchar comment 'Call type of that message.',
    "event" varchar comment 'Event of that message.',
    "received_at" timestamp(6) with time zone comment 'When that message was received: the first of the run.',
    "source_path" varchar comment 'The object that it was read from.',
    "recorded_at" timestamp(6) with time zone comment 'When it was recorded.',
    "load_run_id" varchar comment 'The run of load_events that met it first.'
)
comment 'Keys of messages, and types of their values, when they were first met.'
with (
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."session_runs" (
    "run_id" varchar comment 'The run of model_sessions.',
    "loads" array(row(run_id varchar, reported_at timestamp(6) with time zone)) comment 'The runs of load_events that it took, each as it was reported then.',
    "rebuilt_from" timestamp(6) with time zone comment 'Start of the range asked for; NULL for a run that took loads.',
    "rebuilt_to" timestamp(6) with time zone comment 'End of that range.',
    "points" bigint comment 'Events that came or changed, or all of the range.',
    "visitors" bigint comment 'Visitors they are of.',
    "sessions_new" bigint comment 'Sessions added.',
    "sessions_changed" bigint comment 'Sessions that are otherwise than before.',
    "sessions_aliased" bigint comment 'Ids of sessions that were replaced.',
    "sessions_capped" bigint comment 'Of the new and changed, those cut at the longest duration.',
    "modelled_at" timestamp(6) with time zone comment 'When it was done.',
    "first_started_at" timestamp(6) with time zone comment 'No session that it wrote began before; NULL for none.',
    "last_started_at" timestamp(6) with time zone comment 'No session that it wrote began after; NULL for none.'
)
comment 'What every run of model_sessions did, and which runs of load_events it took.'
with (
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."sessions" (
    "session_id" varchar comment 'Digest of its visitor and first event. Replaced ids are in session_aliases.',
    "visitor_id" varchar comment 'Whose: the anonymous id of the device, else the user id. PII.',
    "started_at" timestamp(6) with time zone comment 'Time of its first event.',
    "ended_at" timestamp(6) with time zone comment 'Time of its last event.',
    "duration_seconds" double comment 'From the first event to the last. Unit: seconds.',
    "event_count" bigint comment 'Events of every type.',
    "page_count" bigint comment 'Page calls.',
    "screen_count" bigint comment 'Screen calls.',
    "track_count" bigint comment 'Track calls.',
    "conversion_count" bigint comment 'Track calls of the events that count as conversions.',
    "entry_step" varchar comment 'First page (its path), screen or tracked event.',
    "exit_step" varchar comment 'Last page (its path), screen or tracked event.',
    "entry_page_url" varchar comment 'Address of the first page.',
    "entry_page_path" varchar comment 'Path of the first page.',
    "exit_page_url" varchar comment 'Address of the last page.',
    "exit_page_path" varchar comment 'Path of the last page.',
    "referrer_url" varchar comment 'First referrer that an event names.',
    "campaign_name" varchar comment 'Campaign of the first event that has any campaign value.',
    "campaign_source" varchar comment 'Source of that campaign.',
    "campaign_medium" varchar comment 'Medium of that campaign.',
    "campaign_term" varchar comment 'Keyword of that campaign.',
    "campaign_content" varchar comment 'Content of that campaign.',
    "device_type" varchar comment 'First kind of device named.',
    "device_model" varchar comment 'First device model named.',
    "os_name" varchar comment 'First operating system named.',
    "app_name" varchar comment 'First app named.',
    "app_version" varchar comment 'First version of an app named.',
    "user_agent" varchar comment 'First user agent named.',
    "locale" varchar comment 'First locale named.',
    "timezone" varchar comment 'First time zone named.',
    "first_user_id" varchar comment 'First user id in it; NULL while nobody is known. PII.',
    "last_user_id" varchar comment 'Last user id in it. PII.',
    "user_count" bigint comment 'Different user ids in it.',
    "is_bounce" boolean comment 'One page or screen and no track call.',
    "is_capped" boolean comment 'It was cut at the longest duration: the next session goes on with no pause.',
    "first_message_id" varchar comment 'Message id of its first event.',
    "first_received_at" timestamp(6) with time zone comment 'Earliest received_at of its events: where events has them.',
    "last_received_at" timestamp(6) with time zone comment 'Latest received_at of its events.',
    "identified" array(row(id varchar, user_id varchar, source varchar, valid_from timestamp(6) with time zone, last_seen_at timestamp(6) with time zone)) comment 'Which ids were seen to be one person; the view identities reads it. PII.',
    "former_ids" array(row(session_id varchar, started_at timestamp(6) with time zone, model_run_id varchar)) comment 'Ids that it, or a part of it, had before late events came; the view session_aliases reads it.',
    "created_run_id" varchar comment 'The run of model_sessions that made the row.',
    "updated_run_id" varchar comment 'The run of model_sessions that last changed it; NULL if none did.',
    "modelled_at" timestamp(6) with time zone comment 'When the row was last written.'
)
comment 'Visits: what one device or user did without a longer pause, over all call types. Query it by started_at.'
with (
    partitioning = array['day(started_at)'],
    sorted_by = array['started_at'],
    format = 'PARQUET'
);
-- Makes a lake table, or that of an event, as it is described.
-- Parameters: altered (its schema and name), table (its description).
create table if not exists "lake"."clickstream"."violations" (
    "message_id" varchar comment 'The message.',
    "event" varchar comment 'Its event, as in events.event.',
    "property" varchar comment 'The property, such as products[].price; empty for properties as a whole.',
    "rule" varchar comment 'type, required, enum, format, pattern, minimum or maximum.',
    "value" varchar comment 'The value as JSON text, of several the first; NULL for required. PII.',
    "occurrences" bigint comment 'How many values of the property break the rule: more than one in an array.',
    "severity" varchar comment 'warn: it is in the table of its event; block: it is in events only.',
    "received_at" timestamp(6) with time zone comment 'When the message was received.',
    "found_at" timestamp(6) with time zone comment 'When it was loaded.',
    "load_run_id" varchar comment 'The run that loaded it.'
)
comment 'Where a message breaks a rule of the tracking plan.'
with (
    partitioning = array['day(received_at)'],
    format = 'PARQUET'
);
