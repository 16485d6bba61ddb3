"""A small shop that the local collector serves: its page loads analytics.js from there, and sends what one clicks."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.made import npm_packages

HERE = Path(__file__).parent
PAGE = HERE / "page"
BUNDLES = "/analytics-next/bundles/"
"""Where analytics.js looks for the parts of itself that it loads later."""

Page = tuple[str, bytes]
Pages = Callable[[str], Page | None]
"""Returns content type and content of a path, None if there is no such page."""


def analytics_js() -> Path:
    """Return the folder of the bundles that the npm package of analytics.js has. Raises LocalError without npm."""
    return npm_packages(HERE) / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd"


def shop(scripts: Path, write_key: Callable[[], str], collector: str = "") -> Pages:
    """Return the shop's pages, with the bundles of `scripts`. They send to `collector`, or to their own origin."""
    files = {"/shop.js": PAGE / "shop.js", "/shop.css": PAGE / "shop.css", "/analytics.js": scripts / "standalone.js"}
    files |= {f"{BUNDLES}{file.name}": file for file in scripts.glob("*.js")}

    def find(path: str) -> Page | None:
        if path == "/":
            text = (PAGE / "index.html").read_text(encoding="utf-8")
            for name, value in (("write_key", write_key()), ("collector", collector)):
                text = text.replace(f"{{{{{name}}}}}", html.escape(value))
            return "text/html; charset=utf-8", text.encode()
        if path not in files:
            return None
        kind = "text/css" if path.endswith(".css") else "text/javascript"
        return f"{kind}; charset=utf-8", files[path].read_bytes()

    return find


def web_key(sources: dict[str, Any]) -> str:
    """Return the write key of the first source of pages that has an active one, else nothing."""
    keys = (key for one in sources["sources"].values() if one["kind"] == "web" for key in one["keys"])
    return next((key["key"] for key in keys if key["state"] == "active" and "key" in key), "")
