alter table "awsdatacatalog"."clickstream"."events"
execute expire_snapshots (retention_threshold => '604800s')
