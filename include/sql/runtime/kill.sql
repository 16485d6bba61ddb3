-- Ends one query. Parameters: query_id.
call system.runtime.kill_query(
    query_id => {{ bind(query_id) }}, message => 'left over from an earlier try of this task'
)
