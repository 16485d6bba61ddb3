{%- from "macros/json.sql" import members -%}
{%- from "macros/new_keys.sql" import new_keys -%}
-- Records the keys and types of a batch that were never met before, the commonest first, at most so many a run.
-- The batch has no whole message: a value is found again in `discarded`, in a column that holds an object, in `extras`,
-- or in the column of its own that a key of the message has.
-- Grain: one path and type. Parameters: run_id, now, change_limit, shape_limit.
merge into {{ t.schema_changes }} as target
using (
    with {{ new_keys(t.batch(run_id), t.schema_changes, bind(shape_limit)) }},

    -- What an earlier try of this run recorded counts towards the limit.
    recorded_before as (
        select count(*) as change_count
        from {{ t.schema_changes }}
        where load_run_id = {{ bind(run_id) }}
    ),

    -- The commonest, up to the limit.
    chosen_keys as (
        select
            new_keys.path,
            new_keys.json_type,
            new_keys.change,
            new_keys.case_twin_of,
            new_keys.message_count,
            new_keys.first_met[1] as line_id,
            new_keys.first_met[2] as parent_key,
            new_keys.first_met[3] as member_key
        from new_keys
        cross join recorded_before
        where new_keys.place + recorded_before.change_count <= {{ bind(change_limit) }}
    ),

    -- The first line that has the key, and where in it the value may be.
    found_lines as (
        select
            batch.*,
            chosen_keys.path,
            chosen_keys.json_type,
            chosen_keys.change,
            chosen_keys.case_twin_of,
            chosen_keys.message_count,
            chosen_keys.member_key,
            case chosen_keys.parent_key
                when 'context' then {{ members("json_parse(batch.context)") }}
                when 'properties' then {{ members("json_parse(batch.properties)") }}
                when 'traits' then {{ members("json_parse(batch.traits)") }}
                else coalesce({{ members("json_parse(batch.extras)") }}, map())
            end as found_members,
            case
                when chosen_keys.parent_key = '' then case chosen_keys.member_key
                    {%- for column in events.own_columns %}
                    when {{ literal(column.source) }} then {{ literal(column.name) }}
                    {%- endfor %}
                end
            end as own_column
        from {{ t.batch(run_id) }} as batch
        inner join chosen_keys on batch.line_id = chosen_keys.line_id
    ),

    -- The value as it was sent, or what became of it in its column.
    found_values as (
        select
            *,
            coalesce(
                element_at(found_members, member_key),
                json_parse(element_at(filter(discarded, item -> item.column_name = own_column), 1).value),
                case own_column
                    {%- for column in events.own_columns if column.type in ("json", "object") %}
                    when {{ literal(column.name) }} then json_parse({{ quote(column.name) }})
                    {%- endfor %}
                end
            ) as found_value,
            case own_column
                {%- for column in events.own_columns if column.type not in ("json", "object") %}
                {%- set zone = " at time zone 'UTC'" if column.type == "timestamp" else "" %}
                when {{ literal(column.name) }} then cast({{ quote(column.name) }}{{ zone }} as varchar)
                {%- endfor %}
            end as column_value
        from found_lines
    )

    select
        path,
        json_type,
        change,
        case_twin_of,
        message_count,
        message_id,
        type,
        event,
        received_at,
        source_path,
        substr(
            coalesce(
                if(json_type = 'string', try_cast(found_value as varchar)), json_format(found_value), column_value
            ), 1, 200
        ) as example
    from found_values
) as source
    on target.path = source.path and target.json_type = source.json_type
when not matched then
    insert (
        path, json_type, change, case_twin_of, message_count, example, message_id, type, event, received_at,
        source_path, recorded_at, load_run_id
    )
    values (
        source.path,
        source.json_type,
        source.change,
        source.case_twin_of,
        source.message_count,
        source.example,
        source.message_id,
        source.type,
        source.event,
        source.received_at,
        source.source_path,
        {{ bind(now) }},
        {{ bind(run_id) }}
    )
