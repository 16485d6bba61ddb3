{#- Which ids were seen to be one person's, session by session. -#}

{#- The CTEs that end in `identified`: an array a session, each entry a spell in which one device (or previous id of an
    alias) had one user. `session_events` has the events of sessions, told apart by visitor, region and nth. -#}
{%- macro identified_ctes(session_events) -%}
-- Who was seen with whom: a device with a user, or the two ids of an alias.
sightings as (
    select
        visitor_id,
        region_starts_at,
        nth,
        position,
        event_at,
        'message' as source,
        anonymous_id as id,
        user_id
    from {{ session_events }}
    where nullif(anonymous_id, '') is not null and nullif(user_id, '') is not null
    union all
    select
        visitor_id,
        region_starts_at,
        nth,
        position,
        event_at,
        'alias' as source,
        previous_id as id,
        user_id
    from {{ session_events }}
    where type = 'alias' and nullif(previous_id, '') is not null and nullif(user_id, '') is not null
),

-- Where an id changes its user.
turns as (
    select
        *,
        if(
            row(id, user_id) is distinct from lag(row(id, user_id)) over (
                partition by visitor_id, region_starts_at, nth, source
                order by position
            ),
            1, 0
        ) as is_turn
    from sightings
),

-- The number of the spell: how many turns there are up to here.
spells as (
    select
        *,
        sum(is_turn) over (
            partition by visitor_id, region_starts_at, nth, source
            order by position
            rows between unbounded preceding and current row
        ) as spell
    from turns
),

-- One row a spell.
links as (
    select
        visitor_id,
        region_starts_at,
        nth,
        source,
        id,
        user_id,
        min(event_at) as valid_from,
        max(event_at) as last_seen_at
    from spells
    group by visitor_id, region_starts_at, nth, source, id, user_id, spell
),

identified as (
    select
        visitor_id,
        region_starts_at,
        nth,
        array_agg(
            cast(
                row(id, user_id, source, valid_from, last_seen_at) as row(
                    id varchar, user_id varchar, source varchar,
                    valid_from timestamp(6) with time zone, last_seen_at timestamp(6) with time zone
                )
            )
            order by valid_from asc, source asc, id asc, user_id asc
        ) as identified
    from links
    group by visitor_id, region_starts_at, nth
)
{%- endmacro -%}
