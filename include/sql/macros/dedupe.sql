{#- Which of several lines with one message id becomes the row. -#}

{#- The CTE body that gives one line_id a message of a batch: the first received, then the first by path, then by digest
    of the line: the same one whatever the order of reading. -#}
{%- macro first_lines(batch) -%}
        select min_by(line_id, row(received_at, source_path, line_digest, line_id)) as line_id
        from {{ batch }}
        where reject_reason is null
        group by message_id
{%- endmacro -%}
