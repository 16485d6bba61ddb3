create or replace view "clickstream"."events_live" as
select cast(null as timestamp(6)) as loaded_at
from "awsdatacatalog"."clickstream"."events"
where received_at >= timestamp '2026-11-24 12:00:00' - interval '1' day;
