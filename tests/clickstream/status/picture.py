"""Write docs/images/status-page.png, the page of documents/full.json: `python -m tests.clickstream.status.picture`.

In the environment of tests, .venv/test. The machine needs fonts with Korean letters and emoji: `apt install fonts-nanum
fonts-noto-color-emoji`.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "plugins"))

from clickstream.status.page import status_page
from tests.clickstream.status.test_page import FAILED, FULL, NOW
from tests.collector.sdks.senders import look

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "status-page.png"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = folder / "page.html"
        page.write_text(status_page(FULL, NOW, troubled=[FAILED]), encoding="utf-8")
        address = f"file://{page}"
        look([{"address": address, "scheme": "light", "width": 1100, "picture": str(PICTURE), "height": 1500}], folder)


if __name__ == "__main__":
    main()
