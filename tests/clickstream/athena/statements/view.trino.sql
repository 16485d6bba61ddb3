create or replace view "awsdatacatalog"."clickstream"."events_live"
comment 'What''s there. [0123456789ab]'
security invoker
as
select cast(null as timestamp(6) with time zone) as loaded_at
from "awsdatacatalog"."clickstream"."events"
where received_at >= timestamp '2026-11-24 12:00:00 UTC' - interval '1' day
