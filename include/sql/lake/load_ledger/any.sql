-- Whether a run ever loaded an object that a stream brought. Grain: one row. Parameters: none.
select
    exists(
        select 1
        from {{ t.load_ledger }}
        where starts_with(source_path, {{ literal(t.staging_location) }})
    ) as has_arrived
