-- How what is sent differs from the tracking plan, as compare_plan last found it. Grain: one difference.
create table if not exists {{ t.plan_diff }} (
    kind varchar comment 'undeclared_event, undeclared_property, other_type, unseen_event or unseen_property.',
    event varchar comment 'Name of the event in the plan, or of an undeclared one as it was sent last.',
    property varchar comment 'The property, such as products[].price; empty for the event as a whole.',
    declared_types varchar comment 'JSON Schema types of the plan; NULL where it has none.',
    seen_types varchar comment 'JSON Schema types that were sent, with messages; of an event, how many properties.',
    messages bigint comment 'Messages with it; of items of arrays, those of each type added up.',
    first_seen_at timestamp(6) with time zone comment 'When the first of them was received, in the days compared.',
    last_seen_at timestamp(6) with time zone comment 'When the last of them was received.',
    example varchar comment 'The value in the first of them as JSON text, 200 characters at most. PII.',
    message_id varchar comment 'The message that the example is from.',
    entry varchar comment 'What to paste into the tracking plan, as YAML: an entry, or a line of properties.',
    seen_since timestamp(6) with time zone comment 'Messages received from then on were compared.',
    compared_at timestamp(6) with time zone comment 'When the comparison was made.'
)
comment 'How what is sent differs from the tracking plan, as compare_plan last found it.'
with (
    format = 'PARQUET'
)
