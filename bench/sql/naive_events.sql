-- The straightforward way to `events`: a function a column over the JSON text, the first of each message id, one MERGE.
merge into {{ events }} as target
using (
    with ranked_messages as (
        select
            *,
            row_number() over (partition by messageid order by receivedat) as place
        from {{ staged }}
        where messageid is not null
    )

    select
    {%- for column in columns %}
        {{ column.expression }} as {{ column.name | quote }}{{ "," if not loop.last }}
    {%- endfor %}
    from ranked_messages
    where place = 1
) as source
    on target.message_id = source.message_id
        and target.received_at between {{ earliest }} and {{ latest }}
when not matched then insert (
    {%- for column in columns %}{{ column.name | quote }}{{ ", " if not loop.last }}{% endfor -%}
) values (
    {%- for column in columns %}source.{{ column.name | quote }}{{ ", " if not loop.last }}{% endfor -%}
)
