"""Write docs/shop.png, the shop's page in Chromium: `.venv/test/bin/python -m tests.collector.sdks.picture`.

The machine needs a font with Korean letters: `apt install fonts-nanum`.
"""

from pathlib import Path
from threading import Thread

from local.collector import CollectorServer, responder
from local.shop import analytics_js, shop
from tests.collector.doors import KEYS, MemorySink, make_door
from tests.collector.sdks.senders import browse

PICTURE = Path(__file__).parents[3] / "docs" / "shop.png"


def main() -> None:
    respond = responder(make_door(MemorySink()), lambda line: None)
    with CollectorServer(respond, 0, shop(analytics_js(), lambda: KEYS["web"])) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        browse(server.url, "picture", str(PICTURE))
        server.shutdown()


if __name__ == "__main__":
    main()
