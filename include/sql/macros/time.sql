{#- Instants out of text. -#}

{#- ISO 8601 date and time, `T` or one space between them, seconds and fraction optional, with an offset or else UTC.
    Microseconds; a longer fraction is cut. Second 60 is the next second. NULL for anything else. -#}
{%- macro instant(text) -%}
case
    when regexp_like(
        {{ text }},
        '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?$'
    )
        then try(
            cast(
                from_iso8601_timestamp_nanos(
                    regexp_replace(
                        regexp_replace(
                            regexp_replace(replace({{ text }}, ' ', 'T'), '^(.{16}):60', '$1:59'),
                            '(\.[0-9]{6})[0-9]+', '$1'
                        ),
                        '^(.{16}[^Z+-]*)$', '$1Z'
                    )
                ) at time zone 'UTC' as timestamp(6) with time zone
            )
            + if(regexp_like({{ text }}, '^.{16}:60'), interval '1' second, interval '0' second)
        )
end
{%- endmacro -%}
