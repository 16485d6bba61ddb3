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

{#- Text with each digit as 0, which tells its form. -#}
{%- macro form_of(text) -%}
translate({{ text }}, '123456789', '000000000')
{%- endmacro -%}

{#- ISO 8601 date and time, `T` or one space between them, seconds and fraction optional, with an offset (its minutes
    optional) or else UTC.
    Microseconds; a longer fraction is cut. Second 60 is the next second.
    Years 2 to 9998, so that UTC has them too. NULL for anything else.
    What nearly all senders write comes first: a cast of it costs a fraction of the rest. -#}
{%- macro instant(text) -%}
case
    when {{ form_of(text) }} in (
            '0000-00-00T00:00:00Z',
            '0000-00-00T00:00:00.000Z',
            '0000-00-00T00:00:00.000000Z',
            '0000-00-00T00:00:00.0Z',
            '0000-00-00T00:00:00.00Z',
            '0000-00-00T00:00:00.0000Z',
            '0000-00-00T00:00:00.00000Z'
        )
        and substr({{ text }}, 1, 2) in ('19', '20')
        and substr({{ text }}, 12, 2) <= '23'
        and substr({{ text }}, 15, 1) <= '5'
        and substr({{ text }}, 18, 1) <= '5'
        then cast(
            with_timezone(try_cast(replace(replace({{ text }}, 'T', ' '), 'Z', '') as timestamp(6)), 'UTC')
            as timestamp(6) with time zone
        )
    when {{ form_of("substr(" ~ text ~ ", 1, 16)") }} in ('0000-00-00T00:00', '0000-00-00 00:00')
        and substr({{ text }}, 1, 4) not in ('0000', '0001', '9999')
        then element_at(
            transform(
                transform(
                    array[{{ text }}],
                    sent -> cast(
                        row(
                            replace(substr(sent, 1, 16), ' ', 'T'),
                            substr(sent, 17, strpos(translate(substr(sent, 17), '+-', 'ZZ') || 'Z', 'Z') - 1),
                            substr(sent, 16 + strpos(translate(substr(sent, 17), '+-', 'ZZ') || 'Z', 'Z'))
                        ) as row(minute varchar, second varchar, zone varchar)
                    )
                ),
                sent -> if(
                    (
                        {{ form_of("sent.second") }} in ('', ':00')
                        or (
                            starts_with({{ form_of("sent.second") }}, ':00.0')
                            and translate(substr(sent.second, 5), '0123456789', '') = ''
                        )
                    )
                    and (
                        sent.zone in ('', 'Z', '+14', '+1400', '+14:00', '-14', '-1400', '-14:00')
                        or (
                            {{ form_of("sent.zone") }} in ('+00', '+0000', '+00:00', '-00', '-0000', '-00:00')
                            and substr(sent.zone, 2, 2) <= '13'
                            and substr(sent.zone, -2) <= '59'
                        )
                    ),
                    try(
                        cast(
                            from_iso8601_timestamp_nanos(
                                sent.minute
                                || if(starts_with(sent.second, ':60'), ':59', substr(sent.second, 1, 3))
                                || substr(sent.second, 4, 7)
                                || case length(sent.zone)
                                    when 0 then 'Z'
                                    when 1 then 'Z'
                                    when 3 then sent.zone || ':00'
                                    else substr(sent.zone, 1, 3) || ':' || substr(sent.zone, -2)
                                end
                            ) at time zone 'UTC' as timestamp(6) with time zone
                        )
                        + if(starts_with(sent.second, ':60'), interval '1' second, interval '0' second)
                    )
                )
            ),
            1
        )
end
{%- endmacro -%}
