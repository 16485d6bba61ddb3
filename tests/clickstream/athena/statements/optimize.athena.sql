optimize clickstream.events rewrite data using bin_pack
where "received_at" < timestamp '2026-11-24 12:00:00';
