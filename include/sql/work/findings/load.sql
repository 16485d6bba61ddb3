{%- from "macros/json.sql" import members -%}
{%- from "macros/properties.sql" import has_format, is_same_value, json_kind, property, values_at -%}
-- Where the properties of one run's messages break a rule of the tracking plan or do not fit their column (rule
-- `discard`): all events in one pass, each document parsed once.
-- Grain: one rule at one value of one message. Parameters: run_id, column_types (those that the plan uses),
-- longest_text (characters of a text that can match a pattern: the time grows with their square).
create or replace table {{ t.findings(run_id) }}
with (format = 'PARQUET')
as
-- What is no JSON is judged as an empty object.
with documents as (
    select
        table_name,
        message_id,
        event,
        received_at,
        source_path,
        coalesce(try(json_parse(properties)), json '{}') as document
    from {{ t.typed_batch(run_id) }}
),

opened_documents as (
    select
        *,
        {{ members("document") }} as document_members
    from documents
),

-- Most places are members of the document itself: to open it once for all of them is most of what this saves.
places as (
    select
        documents.message_id,
        documents.event,
        documents.received_at,
        documents.source_path,
        rules.*,
        case
            when cardinality(rules.path) = 0 then array[documents.document]
            when cardinality(rules.path) = 1
                then if(
                    contains(map_keys(documents.document_members), element_at(rules.path, 1)),
                    array[element_at(documents.document_members, element_at(rules.path, 1))]
                )
            else {{ values_at(
                "element_at(documents.document_members, element_at(rules.path, 1))", "slice(rules.path, 2, cardinality(rules.path))"
            ) }}
        end as found
    from opened_documents as documents
    inner join {{ t.rules(run_id) }} as rules on documents.table_name = rules.table_name
),

-- One row a value: a place that a message does not have gives none.
single_values as (
    select
        places.*,
        coalesce(item.member, json 'null') as place_value
    from places
    cross join unnest(places.found) as item (member)
),

told_values as (
    select
        *,
        {{ json_kind("place_value") }} as kind
    from single_values
),

-- A cast that fails costs as much as some hundred that do not, so none is tried that cannot succeed.
read_values as (
    select
        *,
        if(kind = 'string', try_cast(place_value as varchar)) as text_value,
        if(kind in ('integer', 'number'), try_cast(json_format(place_value) as double)) as number_value,
        if(kind = 'object' and cardinality(required) > 0, map_keys({{ members("place_value") }})) as member_names
    from told_values
),

-- Every rule is put to every value: one that does not apply, or holds, gives NULL.
judged_values as (
    select
        *,
        filter(
            flatten(array[array[
                if(
                    not contains(types, kind) and not (kind = 'integer' and contains(types, 'number')),
                    cast(row('type', property) as row(rule varchar, place varchar))
                ),
                if(
                    none_match(
                        enum_values,
                        allowed -> {{ is_same_value(
                            "json_format(json_parse(allowed))", "json_format(place_value)", "kind"
                        ) }}
                        or (
                            kind = 'string'
                            and starts_with(allowed, '"')
                            and try_cast(json_parse(allowed) as varchar) = text_value
                        )
                    ),
                    row('enum', property)
                ),
                if(kind = 'string' and not {{ has_format("text_value", "format") }}, row('format', property)),
                if(
                    case
                        when pattern is null then false
                        when length(text_value) > {{ longest_text }} then true
                        else not regexp_like(text_value, pattern)
                    end,
                    row('pattern', property)
                ),
                if(number_value < minimum, row('minimum', property)),
                if(number_value > maximum, row('maximum', property)),
                if(
                    kind <> 'null' and case column_type
                        {%- for type in column_types %}
                        when {{ literal(type) }} then {{ property("place_value", type) }} is null
                        {%- endfor %}
                    end,
                    row('discard', property)
                )
            ],
            transform(
                array_except(required, member_names),
                member_name -> row('required', if(property = '', member_name, property || '.' || member_name))
            )]),
            finding -> finding is not null
        ) as findings
    from read_values
)

select
    judged_values.table_name,
    judged_values.message_id,
    judged_values.event,
    judged_values.received_at,
    judged_values.source_path,
    judged_values.severity,
    judged_values.column_name,
    judged_values.column_type,
    judged_values.kind,
    finding.rule,
    finding.place as property,
    if(finding.rule <> 'required', json_format(judged_values.place_value)) as value
from judged_values
cross join unnest(judged_values.findings) as finding (rule, place)
