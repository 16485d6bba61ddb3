-- The archive as raw lines: what Segment's S3 destination writes, and what the stack does. A run adds the folders that
-- it reads as partitions, each with an address of its own; no query reads the whole of it. The separator is the byte
-- FE, which UTF-8 never has, so every line stays whole.
-- Grain: one line of one archived object.
create table if not exists {{ t.archive_lines }} (
    line varchar,
    folder varchar
)
with (
    external_location = {{ literal(t.archive_location) }},
    partitioned_by = array['folder'],
    format = 'TEXTFILE',
    null_format = 'þ',
    textfile_field_separator = 'þ'
)
