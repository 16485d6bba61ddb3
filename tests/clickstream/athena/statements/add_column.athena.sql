alter table `clickstream`.`events` add columns (`seen_at` timestamp);
