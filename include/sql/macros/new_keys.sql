{%- from "macros/shapes.sql" import member_key, member_type, shape_lists, shape_parent -%}
{#- What a batch has that schema_changes does not know. -#}

{#- A key as a step of a JSON path. Anything but a plain name is quoted, with \ before \ and quotes. -#}
{%- macro path_step(key) -%}
if(
    translate(
        {{ key }}, 'abcdefghijklmnopqrstuvwxyz' || 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' || '0123456789_', ''
    ) = ''
    and {{ key }} <> ''
    and translate(substr({{ key }}, 1, 1), '0123456789', '') <> '',
    '.' || {{ key }},
    '["' || replace(replace({{ key }}, chr(92), chr(92) || chr(92)), '"', chr(92) || '"') || '"]'
)
{%- endmacro -%}

{#- The CTEs up to `new_keys`: one row a path and type that the table does not have, ranked by how many messages have
    it. Only the commonest shapes are read, and 200 characters of a key: a sender of keys without end costs no more. -#}
{%- macro new_keys(batch, schema_changes, shape_limit) -%}
shapes as (
    select
        min_by(line_id, row(received_at, message_id, line_id)) as line_id,
        count(*) as message_count
    from {{ batch }}
    where shape is not null
    group by xxhash64(to_utf8(shape))
    order by message_count desc, line_id asc
    limit {{ shape_limit }}
),

-- The keys of the line that stands for a shape, in each of its objects.
members as (
    select
        shapes.line_id,
        shapes.message_count,
        batch.received_at,
        {{ shape_parent("parent.position") }} as parent_key,
        {{ member_key("item.member") }} as member_key,
        {{ member_type("item.member") }} as json_type
    -- What stands on the right is kept in memory: never the batch.
    from {{ batch }} as batch
    inner join shapes on batch.line_id = shapes.line_id
    cross join unnest({{ shape_lists("batch.shape") }}) with ordinality as parent (members, position)
    cross join unnest(parent.members) as item (member)
),

-- A JSON null tells no type.
typed_members as (
    select
        *,
        '$' || if(parent_key = '', '', '.' || parent_key) || {{ path_step("substr(member_key, 1, 200)") }} as path
    from members
    where json_type is not null
),

-- One row a key and type, over all shapes.
sent_keys as (
    select
        path,
        json_type,
        sum(message_count) as message_count,
        min_by(row(line_id, parent_key, member_key), row(received_at, line_id)) as first_met
    from typed_members
    group by path, json_type
),

-- Whichever was recorded first, or else is the commonest, is the one that others are twins of.
known_paths as (
    select
        path,
        0 as is_new,
        0 as message_count
    from {{ schema_changes }}
    union all
    select
        path,
        1 as is_new,
        message_count
    from sent_keys
),

elder_twins as (
    select
        lower(path) as folded_path,
        min_by(path, row(is_new, -message_count, path)) as path
    from known_paths
    group by lower(path)
),

-- A path that is recorded with another type is no new key.
recorded_paths as (
    select distinct path
    from {{ schema_changes }}
),

new_keys as (
    select
        sent_keys.*,
        nullif(elder_twins.path, sent_keys.path) as case_twin_of,
        if(
            recorded_paths.path is null
            and row_number() over (
                partition by sent_keys.path
                order by sent_keys.message_count desc, sent_keys.json_type asc
            ) = 1,
            'new_key',
            'new_type'
        ) as change,
        row_number() over (
            order by sent_keys.message_count desc, sent_keys.path asc, sent_keys.json_type asc
        ) as place
    from sent_keys
    inner join elder_twins on lower(sent_keys.path) = elder_twins.folded_path
    left join recorded_paths on sent_keys.path = recorded_paths.path
    where not exists (
        select 1
        from {{ schema_changes }} as recorded
        where recorded.path = sent_keys.path and recorded.json_type = sent_keys.json_type
    )
)
{%- endmacro -%}
