"""Files that a kill leaves whole."""

from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Replace a file in one step, so that a kill leaves the old text or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)
