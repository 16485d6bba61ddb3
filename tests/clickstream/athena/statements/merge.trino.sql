merge into "awsdatacatalog"."clickstream"."alarms" as target
using (
    select
        ? as name,
        cast(? as timestamp(6) with time zone) as opened_at,
        timestamp '2026-11-24 12:00:00 UTC' as seen_at
) as source
    on target.name = source.name
when matched then
    update set opened_at = source.opened_at
when not matched then
    insert (name, opened_at, seen_at)
    values (source.name, source.opened_at, source.seen_at)
