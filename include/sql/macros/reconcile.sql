{%- from "macros/archive.sql" import is_wanted -%}
{%- from "macros/unpack.sql" import unpacked_lines -%}
{#- Messages of the live tables and of the archive, by the hour received, source and bucket of their id. -#}

{#- Which of 64 buckets an id is in: enough that a few ids that differ lead to few others. -#}
{%- macro bucket_of(id) -%}
bitwise_and(from_big_endian_64(xxhash64(to_utf8({{ id }}))), 63)
{%- endmacro -%}

{#- The CTEs up to `archived`: the archive's messages that were received in its windows, read as a load reads them, and
    its lines that are no message, without an id, in the hour of their folder. Nothing of suppressed people.
    `archive.failing`: digests of lines that a load set aside; with `archive.skips_failing` they are not read. -#}
{%- macro archived_messages(t, archive, archive_integration, events, bind, bind_each, quote, literal) -%}
lines as (
    select
        "$path" as source_path,
        {%- if archive.skips_failing %}
        if(to_hex(sha256(to_utf8(line))) in ({{ bind_each(archive.failing) }}), '', coalesce(line, '')) as line,
        {%- else %}
        coalesce(line, '') as line,
        {%- endif %}
        true as is_archived
    from {{ t.archive_lines }}
    where
        {%- if archive.folders %}
        folder in ({{ bind_each(archive.folders) }})
        {%- else %}
        false
        {%- endif %}
        {%- if archive.unreadable %}
        and "$path" not in ({{ bind_each(archive.unreadable) }})
        {%- endif %}
),

{{ unpacked_lines(t, events, quote, literal) }},

archived as (
    select
        message_id,
        date_trunc('hour', received_at) as received_hour,
        coalesce(project_id, '') as source,
        {{ bucket_of("message_id") }} as bucket,
        {%- if archive.failing and not archive.skips_failing %}
        to_hex(line_digest) in ({{ bind_each(archive.failing) }}) as is_set_aside
        {%- else %}
        false as is_set_aside
        {%- endif %}
    from unpacked_lines
    where
        (reject_reason is null or reject_reason <> 'suppressed')
        and {{ is_wanted(t, "message", archive.received, archive_integration, bind, literal) }}
)
{%- endmacro -%}
