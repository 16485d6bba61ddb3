"""One column of a table that is brought up to date."""

name = "message_id"
type = "varchar"
comment = "x"
