-- The straightforward way to one event's table: a function a property over the text in `events`, one MERGE.
merge into {{ typed }} as target
using (
    select
    {%- for column in columns %}
        {{ column.expression }} as {{ column.name | quote }}{{ "," if not loop.last }}
    {%- endfor %}
    from {{ events }}
    where
        type = 'track'
        and event = {{ event | literal }}
        and received_at between {{ earliest }} and {{ latest }}
) as source
    on target.message_id = source.message_id
        and target.received_at between {{ earliest }} and {{ latest }}
when not matched then insert (
    {%- for column in columns %}{{ column.name | quote }}{{ ", " if not loop.last }}{% endfor -%}
) values (
    {%- for column in columns %}source.{{ column.name | quote }}{{ ", " if not loop.last }}{% endfor -%}
)
