-- What stays of rejected lines without a person's messages; NULL where nothing does.
-- Grain: one line. Parameters: lines_json (reject_id and what stays).
merge into {{ t.rejects }} as target
using (
    select
        cleaned.reject_id,
        cleaned.line
    from
        unnest(
            cast(json_parse({{ bind(lines_json) }}) as array(row(reject_id varchar, line varchar)))
        ) as cleaned (reject_id, line)
) as source
    on target.reject_id = source.reject_id
when matched then
    update set line = source.line
