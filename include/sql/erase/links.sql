-- Which of some ids were seen with which users, and which ids these users had. Of a hub only that it is one.
-- Grain: an id and a user; NULL where there are too many to name. Parameters: ids, limits.
select
    if(user_id in ({{ bind_each(ids) }}) and device_count > {{ bind(limits.identity_max_devices) }}, null, id) as id,
    if(id in ({{ bind_each(ids) }}) and user_count > {{ bind(limits.identity_max_users) }}, null, user_id) as user_id,
    max(user_count) as user_count,
    max(device_count) as device_count
from {{ t.identities }}
where id in ({{ bind_each(ids) }}) or user_id in ({{ bind_each(ids) }})
group by 1, 2
