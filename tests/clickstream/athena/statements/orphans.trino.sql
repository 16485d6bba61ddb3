alter table "awsdatacatalog"."clickstream"."events"
execute remove_orphan_files (retention_threshold => '604800s')
