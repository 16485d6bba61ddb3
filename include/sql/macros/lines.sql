{#- The lines of a run's objects. -#}

{#- Which lines: not those that the run has set aside, or only those; of a part, those of the part. -#}
{%- macro is_asked_for(t, manifest, bind_each, set_aside) -%}
{%- if set_aside or manifest.failing %}
        and to_hex(sha256(to_utf8(coalesce(line, '')))) {{ "" if set_aside else "not " }}in (
            {{ bind_each(manifest.failing) }}
        )
{%- endif %}
{%- if t.among %}
        and {{ keys.is_among(keys.line, t.among) }}
{%- endif %}
{%- endmacro -%}

{#- The CTE body that gives the lines of a manifest's objects: of the staging folder, of the archive, or of both. -#}
{%- macro lines_of(t, manifest, bind_each, set_aside=false) -%}
{%- if manifest.staged or not manifest.archived %}
    select
        "$path" as source_path,
        coalesce(line, '') as line,
        false as is_archived
    from {{ t.lines }}
    where
        "$path" in ({{ bind_each(manifest.staged | map(attribute="path")) }})
        {{- is_asked_for(t, manifest, bind_each, set_aside) }}
{%- endif %}
{%- if manifest.staged and manifest.archived %}
    union all
{%- endif %}
{%- if manifest.archived %}
    select
        "$path" as source_path,
        coalesce(line, '') as line,
        true as is_archived
    from {{ t.archive_lines }}
    where
        folder in ({{ bind_each(manifest.folders) }})
        and "$path" in ({{ bind_each(manifest.archived | map(attribute="path")) }})
        {{- is_asked_for(t, manifest, bind_each, set_aside) }}
{%- endif %}
{#- Trino moves no condition of a statement below a limit: lines that are not asked for are not looked at. -#}
{%- if t.among or manifest.failing %}
    limit 9223372036854775807
{%- endif %}
{%- endmacro -%}
