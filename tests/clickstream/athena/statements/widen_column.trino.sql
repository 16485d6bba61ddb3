alter table "awsdatacatalog"."clickstream"."events"
alter column "items" set data type bigint
