{#- The columns of `sessions` that its events decide; the others are its key and how it came to be. -#}
{%- set measures = tables.sessions.columns | map(attribute="name")
    | reject("in", ["session_id", "created_run_id", "updated_run_id", "modelled_at"]) | list -%}
-- Puts the drafts in place of the sessions of their regions, in one commit: a reader sees all of it or nothing. A
-- session that is as before is not written again. The id of one that is gone goes to the session that now has its first
-- event.
-- Grain: one session. Parameters: run_id, now, bounds (of the regions).
merge into {{ t.sessions }} as target
using (
    -- The sessions of the regions as they are now.
    with replaced as (
        select sessions.*
        from {{ t.sessions }} as sessions
        inner join {{ t.session_regions(run_id) }} as regions
            on
                sessions.visitor_id = regions.visitor_id
                and sessions.started_at between regions.starts_at and regions.ends_at
        where sessions.started_at between {{ bind(bounds.earliest) }} and {{ bind(bounds.latest) }}
    ),

    -- Their ids, and the former ids that they carry.
    ids as (
        select
            session_id,
            visitor_id,
            started_at,
            {{ bind(run_id) }} as model_run_id
        from replaced
        union all
        select
            former.session_id,
            replaced.visitor_id,
            former.started_at,
            former.model_run_id
        from replaced
        cross join unnest(replaced.former_ids) as former (session_id, started_at, model_run_id)
    ),

    -- An id that no draft has goes to the draft that holds its instant.
    former as (
        select
            drafts.session_id,
            array_agg(
                cast(
                    row(ids.session_id, ids.started_at, ids.model_run_id) as row(
                        session_id varchar, started_at timestamp(6) with time zone, model_run_id varchar
                    )
                )
                order by ids.started_at asc, ids.session_id asc
            ) as former_ids
        from ids
        inner join {{ t.session_drafts(run_id) }} as drafts
            on
                ids.visitor_id = drafts.visitor_id
                and ids.started_at between drafts.started_at and drafts.ended_at
        where ids.session_id not in (select live.session_id from {{ t.session_drafts(run_id) }} as live)
        group by drafts.session_id
    )

    select
        coalesce(drafts.session_id, replaced.session_id) as session_id,
        drafts.session_id is null as is_gone,
        {%- for column in measures if column != "former_ids" %}
        drafts.{{ column }},
        {%- endfor %}
        coalesce(former.former_ids, array[]) as former_ids
    from {{ t.session_drafts(run_id) }} as drafts
    left join former on drafts.session_id = former.session_id
    full outer join replaced on drafts.session_id = replaced.session_id
) as source
    on
        target.session_id = source.session_id
        and target.started_at between {{ bind(bounds.earliest) }} and {{ bind(bounds.latest) }}
when matched and source.is_gone then delete
when matched and row(
    {%- for column in measures %}
    source.{{ column }}{{ "," if not loop.last }}
    {%- endfor %}
) is distinct from row(
    {%- for column in measures %}
    target.{{ column }}{{ "," if not loop.last }}
    {%- endfor %}
) then
    update
        set
            {%- for column in measures %}
            {{ column }} = source.{{ column }},
            {%- endfor %}
            updated_run_id = {{ bind(run_id) }},
            modelled_at = {{ bind(now) }}
when not matched and not source.is_gone then insert (
    session_id,
    {%- for column in measures %}
    {{ column }},
    {%- endfor %}
    created_run_id,
    modelled_at
)
values (
    source.session_id,
    {%- for column in measures %}
    source.{{ column }},
    {%- endfor %}
    {{ bind(run_id) }},
    {{ bind(now) }}
)
