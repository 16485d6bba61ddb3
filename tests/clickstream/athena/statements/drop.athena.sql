drop table if exists `clickstream_work`.`batch_1`;
