-- Who an id is: its first known and last known user, and the person at the end of the chain of aliases. Hubs are not
-- stitched. A chain is followed for three aliases; a longer one, or one that turns in a circle, ends at its first user,
-- and is marked. An id that is not here is nobody else: coalesce(person_id, visitor_id).
-- Grain: one id that was seen with a user.
with ids as (
    select
        id,
        min_by(user_id, row(valid_from, user_id)) filter (where not is_hub) as first_known_user_id,
        max_by(user_id, row(valid_from, user_id)) filter (where not is_hub) as last_known_user_id,
        bool_or(is_hub) as is_hub
    from {{ t.identities }}
    group by id
)

select
    ids.id,
    ids.first_known_user_id,
    ids.last_known_user_id,
    ids.is_hub,
    coalesce(
        if(hop3.last_known_user_id is null, coalesce(hop2.last_known_user_id, hop1.last_known_user_id)),
        ids.last_known_user_id,
        ids.id
    ) as person_id,
    hop3.last_known_user_id is not null as is_chain_cut
from ids
left join ids as hop1 on ids.last_known_user_id = hop1.id
left join ids as hop2 on hop1.last_known_user_id = hop2.id
left join ids as hop3 on hop2.last_known_user_id = hop3.id
