{#- What a session is made of: whose event it is, when it happened, what it was. `e` is the name of a relation over
    `events`. -#}

{#- Whose event: the device's anonymous id, else the user id. NULL when it has neither, and so no session. -#}
{%- macro visitor(e) -%}
coalesce(nullif({{ e }}.anonymous_id, ''), nullif({{ e }}.user_id, ''))
{%- endmacro -%}

{#- When it happened. A time that cannot be true, later than it was received or `late_days` before, gives way to the
    time it was received. `late_days` is SQL: a bound value or a number. -#}
{%- macro event_at(e, late_days) -%}
if(
    {{ e }}.is_future or {{ e }}."timestamp" < {{ e }}.received_at - interval '1' day * {{ late_days }},
    {{ e }}.received_at,
    {{ e }}."timestamp"
)
{%- endmacro -%}

{#- What was seen or done, as a word: the path of a page, the name of a screen or event, else the call type. -#}
{%- macro step(e) -%}
case {{ e }}.type
    when 'page' then coalesce({{ e }}.context_page_path, {{ e }}.name, 'page')
    when 'screen' then coalesce({{ e }}.name, 'screen')
    when 'track' then coalesce({{ e }}.event, 'track')
    else {{ e }}.type
end
{%- endmacro -%}

{#- The first value of a session that is not NULL. -#}
{%- macro first_known(column) -%}
min_by({{ column }}, position) filter (where {{ column }} is not null)
{%- endmacro -%}

{#- The last one. -#}
{%- macro last_known(column) -%}
max_by({{ column }}, position) filter (where {{ column }} is not null)
{%- endmacro -%}

{#- What is known of the device, from columns of `events` named context_<...>. -#}
{%- set context_columns = [
    "device_type", "device_model", "os_name", "app_name", "app_version", "user_agent", "locale", "timezone",
] -%}
