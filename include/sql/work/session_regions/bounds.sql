-- How far the regions of one run reach, all together. Grain: one row; NULLs when there are none. Parameters: run_id.
select
    min(starts_at) as earliest,
    max(ends_at) as latest,
    count(*) as regions,
    coalesce(sum(points), 0) as points,
    count(distinct visitor_id) as visitors
from {{ t.session_regions(run_id) }}
