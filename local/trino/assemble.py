"""Lay out a Trino server from its published jars: `lib/` and one folder a plugin, as the server archive has them.

Standard library only, and readable by old Pythons: it runs before any environment is there.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
from collections.abc import Callable

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
POM = os.path.join(HERE, "pom.xml")
LAUNCH = os.path.join(HERE, "Launch.java")

# The jars that Maven Central has leave out the file that names the plugin's class.
PLUGINS = {"hive": "io.trino.plugin.hive.HivePlugin", "iceberg": "io.trino.plugin.iceberg.IcebergPlugin"}
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

Check = Callable[..., str]


def version() -> str:
    """Return the Trino version, from the one place that names it."""
    with open(POM, encoding="utf-8") as pom:
        found: list[str] = re.findall(r"<trino.version>(.+?)</trino.version>", pom.read())
    return found[0]


def home() -> str:
    """Return where this checkout's Trino lies."""
    return os.path.join(ROOT, ".venv", "trino-" + version())


def assemble(java: str, maven: str, say: Callable[[str], None], check: Check) -> None:
    """Make `home()` from pom.xml and Launch.java; does nothing when it was made from these very files."""
    with open(POM, "rb") as pom, open(LAUNCH, "rb") as launch:
        digest = hashlib.sha256(pom.read() + launch.read() + repr(PLUGINS).encode()).hexdigest()
    mark = os.path.join(home(), "made-from")
    if os.path.exists(mark):
        with open(mark, encoding="utf-8") as made:
            if made.read() == digest:
                return
    say("fetching Trino {} with Maven (some 480 MB the first time)".format(version()))
    shutil.rmtree(home(), ignore_errors=True)
    _copy(maven, check, "trino-main", os.path.join(home(), "lib"))
    for plugin, plugin_class in PLUGINS.items():
        folder = os.path.join(home(), "plugin", plugin)
        say("fetching Trino's {} connector".format(plugin))
        _copy(maven, check, "trino-" + plugin, folder)
        _name_plugin(java, check, folder, plugin_class)
    _share_jars()
    # Compiled here, or each start would load the compiler.
    check(os.path.join(java, "bin", "javac"), "-d", home(), "-cp", os.path.join(home(), "lib", "*"), LAUNCH)
    with open(mark, "w", encoding="utf-8") as made:
        made.write(digest)


def _copy(maven: str, check: Check, module: str, folder: str) -> None:
    properties = ["-Dtrino.module=" + module, "-DincludeScope=runtime", "-DoutputDirectory=" + folder]
    check(maven, "-B", "-q", "-f", POM, COPY, *properties)


def _name_plugin(java: str, check: Check, folder: str, plugin_class: str) -> None:
    root = os.path.join(folder, "services")
    services = os.path.join(root, "META-INF", "services")
    os.makedirs(services)
    with open(os.path.join(services, "io.trino.spi.Plugin"), "w", encoding="utf-8") as service:
        service.write(plugin_class + "\n")
    archive = os.path.join(folder, "services.jar")
    check(os.path.join(java, "bin", "jar"), "--create", "--no-manifest", "--file", archive, "-C", root, "META-INF")
    shutil.rmtree(root)


def _share_jars() -> None:
    """Keep one copy of a jar that more than one folder has."""
    seen: dict[tuple[str, int], str] = {}
    for path in sorted(glob.glob(os.path.join(home(), "**", "*.jar"), recursive=True)):
        first = seen.setdefault((os.path.basename(path), os.path.getsize(path)), path)
        if first != path:
            os.remove(path)
            os.link(first, path)
