-- Which of some ids were seen with which users, and which ids these users had. Of a hub only that it is one.
-- Grain: an id and a user; NULL where there are too many to name. Parameters: ids, limits.
with seen as (
    select
        *,
        id in ({{ bind_each(ids) }}) as is_of_id,
        user_id in ({{ bind_each(ids) }}) as is_of_user
    from {{ t.identities }}
)

select
    if(is_of_user and device_count > {{ bind(limits.identity_max_devices) }}, null, id) as id,
    if(is_of_id and user_count > {{ bind(limits.identity_max_users) }}, null, user_id) as user_id,
    max(user_count) as user_count,
    max(device_count) as device_count
from seen
where is_of_id or is_of_user
group by 1, 2
