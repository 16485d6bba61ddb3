{%- from "macros/json.sql" import members, text, typed -%}
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

{#- Keys of an object of which the spec fixes the meaning, as (key, column, type, meaning). Others stay in its JSON
    text. -#}
{%- set page_properties = [
    ("path", "path", "text", "Path of the page."),
    ("referrer", "referrer", "text", "Page before this one."),
    ("search", "search", "text", "Query string of the page."),
    ("title", "title", "text", "Title of the page."),
    ("url", "url", "text", "Full address of the page.")
] -%}

{#- https://www.twilio.com/docs/segment/connections/spec/identify#traits -#}
{%- set user_traits = [
    ("address", "address", "json", "Street address, as JSON text. PII."),
    ("age", "age", "double", "Age of the user. Unit: years. PII."),
    ("avatar", "avatar", "text", "Address of a picture of the user. PII."),
    ("birthday", "birthday", "text", "Day of birth. PII."),
    ("company", "company", "json", "Company of the user, as JSON text."),
    ("createdAt", "created_at", "timestamp", "When the account was made."),
    ("description", "description", "text", "Description of the user. PII."),
    ("email", "email", "text", "E-mail address. PII."),
    ("firstName", "first_name", "text", "First name. PII."),
    ("gender", "gender", "text", "Gender. PII."),
    ("lastName", "last_name", "text", "Last name. PII."),
    ("name", "name", "text", "Full name. PII."),
    ("phone", "phone", "text", "Phone number. PII."),
    ("title", "title", "text", "Title of the user, as of the position in the company."),
    ("username", "username", "text", "Name of the account. PII."),
    ("website", "website", "text", "Address of a website of the user. PII.")
] -%}

{#- https://www.twilio.com/docs/segment/connections/spec/group#traits -#}
{%- set group_traits = [
    ("address", "address", "json", "Street address, as JSON text."),
    ("avatar", "avatar", "text", "Address of a picture of the group."),
    ("createdAt", "created_at", "timestamp", "When the account of the group was made."),
    ("description", "description", "text", "Description of the group."),
    ("email", "email", "text", "E-mail address of the group. PII."),
    ("employees", "employees", "double", "How many people it employs."),
    ("industry", "industry", "text", "Industry of the group."),
    ("name", "name", "text", "Name of the group."),
    ("phone", "phone", "text", "Phone number of the group. PII."),
    ("plan", "plan", "text", "Plan that the group is on."),
    ("website", "website", "text", "Address of its website.")
] -%}

{#- The members of JSON text, for `keys`. -#}
{%- macro opened_members(json_text) -%}
{{ members("json_parse(" ~ json_text ~ ")") }}
{%- endmacro -%}

{#- A column of the message, or where that is missing the property of its name: both are columns of Segment's tables.
    -#}
{%- macro own_or_property(column, members) -%}
coalesce({{ column }}, {{ text("element_at(" ~ members ~ ", '" ~ column ~ "')") }}) as {{ column }}
{%- endmacro -%}

{#- One column a key, out of a map of members. -#}
{%- macro keys(members, list, quote) -%}
{%- for key, column, type, _ in list %}
    {%- set value = "element_at(" ~ members ~ ", '" ~ key ~ "')" %}
    {{ typed(value, type, text(value)) }} as {{ quote(column) }},
{%- endfor %}
{%- endmacro -%}

{#- The last value of a column that is not NULL. -#}
{%- macro latest(column) -%}
max_by({{ column }}, row("timestamp", received_at, id)) filter (where {{ column }} is not null) as {{ column }}
{%- endmacro -%}
