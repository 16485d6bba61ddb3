{%- from "macros/json.sql" import members -%}
{#- Objects of the archive beside those of the staging folder. -#}

{#- When an object was staged, from its path: staging/<UTC yyyyMMddTHHmmssSSS>Z-<rest>. Of the archive, the start of the
    hour it came in, <yyyy/MM/dd/HH>/<name>, or of Segment's, of the received day:
    <source id>/<Unix milliseconds or seconds>/<name>. -#}
{%- macro object_time(path) -%}
cast(
    coalesce(
        with_timezone(
            date_parse(regexp_extract({{ path }}, '/([0-9]{8}T[0-9]{9})Z-[^/]*$', 1), '%Y%m%dT%H%i%s%f'), 'UTC'
        ),
        with_timezone(
            date_parse(regexp_extract({{ path }}, '/([0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9]{2})/[^/]*$', 1), '%Y/%m/%d/%H'),
            'UTC'
        ),
        date_trunc(
            'day', from_unixtime(cast(regexp_extract({{ path }}, '/([0-9]{10})([0-9]{3})?/[^/]*$', 1) as bigint))
        )
    )
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
