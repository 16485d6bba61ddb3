{%- set found = [
    "kind", "event", "property", "declared_types", "seen_types", "messages", "first_seen_at", "last_seen_at", "example",
    "message_id", "entry",
] -%}
-- Puts the differences of one comparison in place of those of the one before, in one commit.
-- Grain: one difference. Parameters: differences_json (a JSON list), seen_since, now.
merge into {{ t.plan_diff }} as target
using (
    select
        {%- for name in found %}
        listed.{{ name }},
        {%- endfor %}
        false as is_over,
        cast({{ bind(now) }} as timestamp(6) with time zone) as compared_at
    from
        unnest(
            cast(
                json_parse({{ bind(differences_json) }}) as array(
                    row(
                        {%- for name in found %}
                        {{ name }} {{ "bigint" if name == "messages" else "varchar" }}{{ "," if not loop.last }}
                        {%- endfor %}
                    )
                )
            )
        ) as listed ({{ found | join(", ") }})
    union all
    select distinct
        {%- for name in found %}
        null as {{ name }},
        {%- endfor %}
        true as is_over,
        compared_at
    from {{ t.plan_diff }}
) as source
    on source.is_over and target.compared_at = source.compared_at
when matched then delete
when not matched and not source.is_over then
    insert (
        kind, event, property, declared_types, seen_types, messages, first_seen_at, last_seen_at, example, message_id,
        entry, seen_since, compared_at
    )
    values (
        source.kind,
        source.event,
        source.property,
        source.declared_types,
        source.seen_types,
        source.messages,
        cast(from_iso8601_timestamp_nanos(source.first_seen_at) as timestamp(6) with time zone),
        cast(from_iso8601_timestamp_nanos(source.last_seen_at) as timestamp(6) with time zone),
        source.example,
        source.message_id,
        source.entry,
        {{ bind(seen_since) }},
        source.compared_at
    )
