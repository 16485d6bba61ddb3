-- Where a message breaks a rule of the tracking plan. Grain: one rule at one property of one message.
create table if not exists {{ t.violations }} (
    message_id varchar comment 'The message.',
    event varchar comment 'Its event, as in events.event.',
    property varchar comment 'The property, such as products[].price; empty for properties as a whole.',
    rule varchar comment 'type, required, enum, format, pattern, minimum or maximum.',
    value varchar comment 'The value as JSON text, of several the first; NULL for required. PII.',
    occurrences bigint comment 'How many values of the property break the rule: more than one in an array.',
    severity varchar comment 'warn: it is in the table of its event; block: it is in events only.',
    received_at timestamp(6) with time zone comment 'When the message was received.',
    found_at timestamp(6) with time zone comment 'When it was loaded.',
    load_run_id varchar comment 'The run that loaded it.'
)
comment 'Where a message breaks a rule of the tracking plan.'
with (
    format = 'PARQUET',
    partitioning = array['day(received_at)']
)
