alter table "awsdatacatalog"."clickstream"."events"
add column if not exists "seen_at" timestamp(6) with time zone comment 'It''s new.'
