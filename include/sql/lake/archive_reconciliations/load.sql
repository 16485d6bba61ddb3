{%- from "macros/time.sql" import within -%}
-- What a comparison found, in place of what an earlier one found of these hours. A row goes when neither side has a
-- message of its hour and source any more.
-- Grain: one hour and source. Parameters: window (full hours), hours_json, run_id, now.
merge into {{ t.archive_reconciliations }} as target
using (
    with compared as (
        select
            cast(from_iso8601_timestamp_nanos(listed.received_hour) as timestamp(6) with time zone) as received_hour,
            listed.source,
            listed.state,
            listed.messages_here,
            listed.messages_there,
            listed.in_both,
            listed.missing_here,
            listed.missing_there,
            listed.late,
            listed.refused_here,
            listed.duplicates,
            listed.archive_from
        from
            unnest(
                cast(
                    json_parse({{ bind(hours_json) }})
                    as array(
                        row(
                            received_hour varchar, source varchar, state varchar, messages_here bigint,
                            messages_there bigint, in_both bigint, missing_here bigint, missing_there bigint,
                            late bigint, refused_here bigint, duplicates bigint, archive_from varchar
                        )
                    )
                )
            ) as listed (
                received_hour, source, state, messages_here, messages_there, in_both, missing_here, missing_there,
                late, refused_here, duplicates, archive_from
            )
    ),

    present as (
        select
            received_hour,
            source
        from {{ t.archive_reconciliations }}
        where {{ within("received_hour", window, bind) }}
    )

    select
        coalesce(compared.received_hour, present.received_hour) as received_hour,
        coalesce(compared.source, present.source) as source,
        compared.state,
        compared.messages_here,
        compared.messages_there,
        compared.in_both,
        compared.missing_here,
        compared.missing_there,
        compared.late,
        compared.refused_here,
        compared.duplicates,
        compared.archive_from
    from compared
    full outer join present
        on compared.received_hour = present.received_hour and compared.source = present.source
) as source
    on
        target.received_hour = source.received_hour
        and target.source = source.source
        and {{ within("target.received_hour", window, bind) }}
when matched and source.state is null then delete
when matched then
    update
        set
            state = source.state,
            messages_here = source.messages_here,
            messages_there = source.messages_there,
            in_both = source.in_both,
            missing_here = source.missing_here,
            missing_there = source.missing_there,
            late = source.late,
            refused_here = source.refused_here,
            duplicates = source.duplicates,
            archive_from = source.archive_from,
            compared_at = {{ bind(now) }},
            run_id = {{ bind(run_id) }}
when not matched then
    insert (
        received_hour, source, state, messages_here, messages_there, in_both, missing_here, missing_there, late,
        refused_here, duplicates, archive_from, compared_at, run_id
    )
    values (
        source.received_hour,
        source.source,
        source.state,
        source.messages_here,
        source.messages_there,
        source.in_both,
        source.missing_here,
        source.missing_there,
        source.late,
        source.refused_here,
        source.duplicates,
        source.archive_from,
        {{ bind(now) }},
        {{ bind(run_id) }}
    )
