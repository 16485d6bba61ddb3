create table "awsdatacatalog"."clickstream_work"."batch_1" as
select 1 as probe
