{%- from "macros/json.sql" import members -%}
{%- from "macros/time.sql" import form_of -%}
{#- Objects of the archive beside those of the staging folder. -#}

{#- A folder of a path, counted from its end; its name is the last. -#}
{%- macro step_of(path, number) -%}
element_at(split({{ path }}, '/'), {{ number }})
{%- endmacro -%}

{#- When an object was staged, from its path: staging/<UTC yyyyMMddTHHmmssSSS>Z-<rest>. Of the archive, the start of the
    hour it came in, <yyyy/MM/dd/HH>/<name>, or of Segment's, of the received day:
    <source id>/<Unix milliseconds or seconds>/<name>. -#}
{%- macro object_time(path) -%}
cast(
    case
        when {{ form_of("substr(" ~ step_of(path, -1) ~ ", 1, 20)") }} = '00000000T000000000Z-'
            then with_timezone(date_parse(substr({{ step_of(path, -1) }}, 1, 18), '%Y%m%dT%H%i%s%f'), 'UTC')
        when {{ form_of("array_join(slice(split(" ~ path ~ ", '/'), -5, 4), '/')") }} = '0000/00/00/00'
            then with_timezone(date_parse(array_join(slice(split({{ path }}, '/'), -5, 4), '/'), '%Y/%m/%d/%H'), 'UTC')
        when {{ form_of(step_of(path, -2)) }} in ('0000000000', '0000000000000')
            then date_trunc('day', from_unixtime(cast(substr({{ step_of(path, -2) }}, 1, 10) as bigint)))
    end
    as timestamp(6) with time zone
)
{%- endmacro -%}

{#- Which object of raw/ an object is a copy of, as the path without the time: S3's own event and that of reconcile_raw
    tell different times of one object, which is then staged under two names when both are worked on at once, or when
    the function dies between copying and deleting it. Of the archive, the path as it is. -#}
{%- macro source_object(path) -%}
regexp_replace({{ path }}, '/[0-9]{8}T[0-9]{9}Z-([^/]*)$', '/$1')
{%- endmacro -%}

{#- How far apart the times in those two names may be: the upload lies between them. -#}
{%- macro between_names() -%}
interval '1' hour
{%- endmacro -%}

{#- Whether a run is asked for a message of the archive: received in one of its windows, and, of Segment's archive, sent
    to the destination that the live path starts at. Segment's S3 destination gets a message whatever its `integrations`
    say, the others do not; the stack archives what came to the stream. -#}
{%- macro is_wanted(t, message, received, integration, bind, literal) -%}
(
    (
        {%- for window in received %}
        (received_at >= {{ bind(window.start) }} and received_at < {{ bind(window.end) }})
        {{- " or" if not loop.last }}
        {%- endfor %}
    )
    and (
        starts_with(source_path, {{ literal(t.archive_hours_location) }})
        or json_format(
            coalesce(
                element_at({{ members("element_at(" ~ message ~ ", 'integrations')") }}, {{ bind(integration) }}),
                element_at({{ members("element_at(" ~ message ~ ", 'integrations')") }}, 'All'),
                json 'true'
            )
        ) <> 'false'
    )
)
{%- endmacro -%}
