-- What every run of model_sessions did, and which runs of load_events it took. Grain: one run of model_sessions, or one
-- part of a run that had many loads to take.
create table if not exists {{ t.session_runs }} (
    run_id varchar comment 'The run of model_sessions.',
    loads array(
        row(run_id varchar, reported_at timestamp(6) with time zone)
    ) comment 'The runs of load_events that it took, each as it was reported then.',
    rebuilt_from timestamp(6) with time zone comment 'Start of the range asked for; NULL for a run that took loads.',
    rebuilt_to timestamp(6) with time zone comment 'End of that range.',
    points bigint comment 'Events that came or changed, or all of the range.',
    visitors bigint comment 'Visitors they are of.',
    sessions_new bigint comment 'Sessions added.',
    sessions_changed bigint comment 'Sessions that are otherwise than before.',
    sessions_aliased bigint comment 'Ids of sessions that were replaced.',
    sessions_capped bigint comment 'Of the new and changed, those cut at the longest duration.',
    modelled_at timestamp(6) with time zone comment 'When it was done.'
)
comment 'What every run of model_sessions did, and which runs of load_events it took.'
with (
    format = 'PARQUET'
)
