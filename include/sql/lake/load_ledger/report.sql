{%- from "macros/ledger.sql" import is_unread -%}
{%- from "macros/time.sql" import within -%}
-- What one run did, over all its objects. Grain: one row. Parameters: run_id, bounds,
-- staged (when its objects were staged).
with objects as (
    select
        source_path,
        bytes,
        rows_read,
        rows_loaded,
        rows_duplicate,
        rows_rejected,
        rejected_by_reason,
        first_received_at,
        last_received_at
    from {{ t.load_ledger }}
    where
        run_id = {{ bind(run_id) }}
        and staged_at between {{ bind(staged.earliest) }} and {{ bind(staged.latest) }}
),

reasons as (
    select
        rejected.reason,
        sum(rejected.reason_rows) as reason_rows
    from objects
    cross join unnest(objects.rejected_by_reason) as rejected (reason, reason_rows)
    group by rejected.reason
),

discarded as (
    select count(*) as number
    from {{ t.discards }} as discards
    where
        discards.load_run_id = {{ bind(run_id) }}
        and {{ within("discards.received_at", bounds, bind) }}
),

updated as (
    select count(*) as number
    from {{ t.events }} as events
    where
        events.update_run_id = {{ bind(run_id) }}
        and {{ within("events.received_at", bounds, bind) }}
)

select
    count(*) as objects,
    coalesce(sum(bytes), 0) as bytes,
    coalesce(sum(rows_read), 0) as rows_read,
    coalesce(sum(rows_loaded), 0) as rows_loaded,
    coalesce(sum(rows_duplicate), 0) as rows_duplicate,
    coalesce(sum(rows_rejected), 0) as rows_rejected,
    (select json_format(cast(map_agg(reasons.reason, reasons.reason_rows) as json)) from reasons) as rejected_by_reason,
    min(first_received_at) as first_received_at,
    max(last_received_at) as last_received_at,
    count_if({{ is_unread(t) }}) as objects_unread,
    (select discarded.number from discarded) as values_discarded,
    (select updated.number from updated) as rows_updated
from objects
