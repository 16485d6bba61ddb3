{%- from "macros/json.sql" import members, typed -%}
{#- Tables shaped as Segment's warehouse destination shapes them:
    https://www.twilio.com/docs/segment/connections/storage/warehouses/schema -#}

{#- The columns that all of them have. -#}
{%- macro common_columns(events, quote) -%}
    message_id as id,
    anonymous_id,
    user_id,
    received_at,
    sent_at,
    original_timestamp,
    "timestamp",
    {%- for column in events.columns if column.name.startswith("context_") %}
    {{ quote(column.name) }},
    {%- endfor %}
    loaded_at,
    loaded_at as uuid_ts
{%- endmacro -%}

{#- Those of them that a property may be named like: the tracking plan refuses the others. -#}
{%- set own_names = ["id", "uuid_ts"] -%}

{#- Keys of an object of which the spec fixes the meaning, as (key, column, type). Others stay in its JSON text. -#}
{%- set page_properties = [
    ("path", "path", "text"), ("referrer", "referrer", "text"), ("search", "search", "text"), ("title", "title", "text"),
    ("url", "url", "text")
] -%}

{#- https://www.twilio.com/docs/segment/connections/spec/identify#traits -#}
{%- set user_traits = [
    ("address", "address", "json"), ("age", "age", "double"), ("avatar", "avatar", "text"),
    ("birthday", "birthday", "text"), ("company", "company", "json"), ("createdAt", "created_at", "timestamp"),
    ("description", "description", "text"), ("email", "email", "text"), ("firstName", "first_name", "text"),
    ("gender", "gender", "text"), ("lastName", "last_name", "text"), ("name", "name", "text"),
    ("phone", "phone", "text"), ("title", "title", "text"), ("username", "username", "text"),
    ("website", "website", "text")
] -%}

{#- https://www.twilio.com/docs/segment/connections/spec/group#traits -#}
{%- set group_traits = [
    ("address", "address", "json"), ("avatar", "avatar", "text"), ("createdAt", "created_at", "timestamp"),
    ("description", "description", "text"), ("email", "email", "text"), ("employees", "employees", "double"),
    ("industry", "industry", "text"), ("name", "name", "text"), ("phone", "phone", "text"), ("plan", "plan", "text"),
    ("website", "website", "text")
] -%}

{#- The members of JSON text, for `keys`. -#}
{%- macro opened_members(json_text) -%}
{{ members("json_parse(" ~ json_text ~ ")") }}
{%- endmacro -%}

{#- One column a key, out of a map of members. -#}
{%- macro keys(members, list, quote) -%}
{%- for key, column, type in list %}
    {{ typed("element_at(" ~ members ~ ", '" ~ key ~ "')", type) }} as {{ quote(column) }},
{%- endfor %}
{%- endmacro -%}

{#- The last value of a column that is not NULL. -#}
{%- macro latest(column) -%}
max_by({{ column }}, row("timestamp", received_at, id)) filter (where {{ column }} is not null) as {{ column }}
{%- endmacro -%}
