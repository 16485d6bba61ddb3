{#- Keys of messages, for a statement that reads only those with a key in a range: `keys` in every file, and Among of
    engine/among.py. A key is a hash of 64 bits: of the line where it is not unpacked yet, and of the message id after
    that, so that all lines of one message are in one part. -#}

{#- Of a row of the batch. A rejected line has no message id. -#}
{%- set batch -%}
from_big_endian_64(xxhash64(to_utf8(coalesce(message_id, to_hex(line_digest)))))
{%- endset -%}

{#- Of a raw line. -#}
{%- set line -%}
from_big_endian_64(xxhash64(to_utf8(coalesce(line, ''))))
{%- endset -%}

{#- Of a message whose event has a table of its own. -#}
{%- set typed -%}
from_big_endian_64(xxhash64(to_utf8(message_id)))
{%- endset -%}

{#- Whether a key lies in the range. Its ends are integers: they need no binding. -#}
{%- macro is_among(key, among) -%}
{{ key }} between bigint '{{ "%d" % among.low }}' and bigint '{{ "%d" % among.high }}'
{%- endmacro -%}

{#- What stands for the batch in `from`: the messages of the range that the step did not leave out.
    Trino moves no condition of a statement below a limit: what is left out is not looked at. -#}
{%- macro batch_among(table, among) -%}
(
    select *
    from {{ table }}
    where
        not coalesce(element_at(left_out, {{ literal(among.step) }}) is not null, false)
        and {{ is_among(batch, among) }}
    limit 9223372036854775807
)
{%- endmacro -%}

{#- What stands for the typed messages in `from`, likewise. -#}
{%- macro typed_among(table, among) -%}
(
    select *
    from {{ table }}
    where {{ is_among(typed, among) }}
    limit 9223372036854775807
)
{%- endmacro -%}
