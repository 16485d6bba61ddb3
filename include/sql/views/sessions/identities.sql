-- Which id had which user, and since when: from every message that has both ids, and from alias calls. A device that
-- too many users used, and a user on too many devices, is a hub: shown, marked, and joins no ids.
-- Grain: one period of an id: the time in which it was seen with one user and no other. Parameters: limits (written
-- out: a view takes no parameter).
with sightings as (
    select seen.*
    from {{ t.sessions }} as sessions
    cross join unnest(sessions.identified) as seen (id, user_id, source, valid_from, last_seen_at)
    where seen.id <> seen.user_id
),

-- Where an id changes its user.
turns as (
    select
        *,
        if(user_id is distinct from lag(user_id) over id_in_time, 1, 0) as is_turn
    from sightings
    window id_in_time as (partition by id order by valid_from asc, source desc, user_id asc)
),

-- The number of the spell: how many turns there are up to here.
numbered as (
    select
        *,
        sum(is_turn) over (
            partition by id
            order by valid_from asc, source desc, user_id asc
            rows between unbounded preceding and current row
        ) as spell
    from turns
),

spells as (
    select
        id,
        user_id,
        min_by(source, row(valid_from, source)) as source,
        min(valid_from) as valid_from,
        max(last_seen_at) as last_seen_at
    from numbered
    group by id, spell, user_id
),

-- How many different ones: the highest rank.
ranked as (
    select
        *,
        dense_rank() over (partition by id order by user_id) as user_rank,
        dense_rank() over (partition by user_id order by id) as device_rank
    from spells
),

counted as (
    select
        *,
        max(user_rank) over (partition by id) as user_count,
        max(device_rank) over (partition by user_id) as device_count
    from ranked
)

select
    id,
    user_id,
    source,
    valid_from,
    lead(valid_from) over (partition by id order by valid_from asc, user_id asc) as valid_to,
    last_seen_at,
    user_count,
    device_count,
    user_count > {{ limits.identity_max_users | int }}
    or device_count > {{ limits.identity_max_devices | int }} as is_hub
from counted
