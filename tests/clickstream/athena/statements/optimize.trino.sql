alter table "awsdatacatalog"."clickstream"."events" execute optimize (file_size_threshold => '128MB')
where "received_at" < timestamp '2026-11-24 12:00:00 UTC'
