-- Makes a view, or replaces it. Its comment is the head of its file and a digest of its definition.
-- Parameters: view (name, comment, query).
create or replace view {{ view.name }}
comment {{ literal(view.comment) }}
security invoker
as
{{ view.query }}
