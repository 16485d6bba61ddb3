{#- The lines of a run's objects. -#}

{#- The CTE body that gives the lines of a manifest's objects: of the staging folder, of the archive, or of both. -#}
{%- macro lines_of(t, manifest, bind_each) -%}
{%- if manifest.staged or not manifest.archived %}
    select
        "$path" as source_path,
        coalesce(line, '') as line,
        false as is_archived
    from {{ t.lines }}
    where "$path" in ({{ bind_each(manifest.staged | map(attribute="path")) }})
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
{%- endif %}
{%- endmacro -%}
