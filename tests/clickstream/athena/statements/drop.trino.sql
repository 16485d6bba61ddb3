drop table if exists "awsdatacatalog"."clickstream_work"."batch_1"
