-- The staged objects as raw lines, one row a line, beside the table that the crawler makes over the same folder.
-- Byte-exact, so that nothing in a file can hide: a line of two objects, or of no JSON at all, is a row here.
-- The separator is the byte FE, which UTF-8 never has, so every line stays whole.
-- Grain: one line of one staged object.
create table if not exists {{ t.lines }} (
    line varchar
)
with (
    external_location = {{ literal(t.staging_location) }},
    format = 'TEXTFILE',
    null_format = 'þ',
    textfile_field_separator = 'þ'
)
