alter table `clickstream`.`events` set tblproperties ('vacuum_max_snapshot_age_seconds' = '604800');
vacuum clickstream.events;
