-- Which step follows which other one in the sessions of a day, the commonest first. Grain: one step and the one after
-- it. Parameters: day, place_limit.
select
    from_step,
    to_step,
    sum(sessions) as sessions
from {{ t.flows }}
where
    day = {{ bind(day) }}
    and from_step is not null
    and to_step is not null
    and from_step <> to_step
group by from_step, to_step
order by sessions desc, from_step asc, to_step asc
limit {{ bind(place_limit) }}
