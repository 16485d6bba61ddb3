-- What a table holds, in the catalog. Parameters: altered (schema and name), comment.
comment on table {{ t.evolving(altered) }} is {{ literal(comment) }}
