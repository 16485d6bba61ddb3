-- Notes that these rejected lines are on the stream again, so that no other redrive sends them.
-- Grain: one line of one staged object. Parameters: reject_ids, now, run_id.
update {{ t.rejects }}
set
    redriven_at = {{ bind(now) }},
    redrive_run_id = {{ bind(run_id) }}
where reject_id in ({{ bind_each(reject_ids) }})
