{#- Instants out of text, and whether one lies in a time. -#}

{#- Whether an instant lies in one of the spans of a time, ends included. -#}
{%- macro within(instant, received, bind) -%}
(
    {%- for span in received.spans %}
    {{ "or " if not loop.first }}{{ instant }} between {{ bind(span.start) }} and {{ bind(span.end) }}
    {%- endfor %}
)
{%- endmacro -%}

{#- An instant to reckon with: NULL, where there is none, has no type of its own. -#}
{%- macro typed_instant(value, bind) -%}
cast({{ bind(value) }} as timestamp(6) with time zone)
{%- endmacro -%}

{#- ISO 8601 date and time, `T` or one space between them, seconds and fraction optional, with an offset (its minutes
    optional) or else UTC.
    Microseconds; a longer fraction is cut. Second 60 is the next second.
    Years 2 to 9998, so that UTC has them too. NULL for anything else.
    What nearly all senders write comes first: a cast of it costs a seventh of the rest. -#}
{%- macro instant(text) -%}
case
    when regexp_like(
        {{ text }},
        '^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z$'
    )
        then cast(
            with_timezone(try_cast(replace(replace({{ text }}, 'T', ' '), 'Z', '') as timestamp(6)), 'UTC')
            as timestamp(6) with time zone
        )
    when regexp_like(
        {{ text }},
        '^(?!0000|0001|9999)[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-](0[0-9]|1[0-3])(:?[0-5][0-9])?|[+-]14(:?00)?)?$'
    )
        then try(
            cast(
                from_iso8601_timestamp_nanos(
                    regexp_replace(
                        regexp_replace(
                            regexp_replace(
                                regexp_replace(
                                    regexp_replace(replace({{ text }}, ' ', 'T'), '^(.{16}):60', '$1:59'),
                                    '(\.[0-9]{6})[0-9]+', '$1'
                                ),
                                '^(.{16}[^Z+-]*[+-][0-9]{2})$', '$1:00'
                            ),
                            '^(.{16}[^Z+-]*)$', '$1Z'
                        ),
                        '([+-][0-9]{2})([0-9]{2})$', '$1:$2'
                    )
                ) at time zone 'UTC' as timestamp(6) with time zone
            )
            + if(regexp_like({{ text }}, '^.{16}:60'), interval '1' second, interval '0' second)
        )
end
{%- endmacro -%}
