-- The session properties of the server and of every catalog. Grain: one property.
show session
