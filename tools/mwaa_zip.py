"""`make mwaa-zip`: plugins.zip for Amazon MWAA, which deploys dags/ and this file and no third folder.

So include/ goes into it, where clickstream.engine.sql finds it, and docs/, which the status page links to. The same
files make the same bytes.
"""

import os
import sys
import zipfile
from pathlib import Path

from local.places import ROOT

# The first instant that a zip file can hold.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def content() -> dict[str, Path]:
    """Return the files by their name in the zip, which MWAA unpacks into its plugins folder."""
    found = {}
    for folder, prefix in ((ROOT / "plugins", ""), (ROOT / "include", "include/"), (ROOT / "docs", "docs/")):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found[f"{prefix}{path.relative_to(folder).as_posix()}"] = path
    return found


def write_zip(target: Path) -> int:
    """Write the zip; return how many files it holds."""
    files = content()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files.items():
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return len(files)


def main() -> int:
    """Write it to the file in CLICKSTREAM_OUT, or to plugins.zip in the checkout."""
    target = Path(os.environ.get("CLICKSTREAM_OUT") or ROOT / "plugins.zip")
    print(f"{target}: {write_zip(target)} files, {target.stat().st_size / 1024:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
