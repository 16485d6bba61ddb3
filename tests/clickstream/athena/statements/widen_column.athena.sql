alter table `clickstream`.`events` change column `items` `items` bigint;
