"""What the SQL files see when sqlfluff renders them: each module is a Jinja name of clickstream.engine.sql."""


def literal(text: str) -> str:
    """Return any string in single quotes."""
    return f"'{text}'"


SQLFLUFF_JINJA_FILTERS = {"literal": literal}
