"""Lays out a Trino server from its published jars: `lib/` and one folder a plugin, as the server archive has them.

Standard library only: it runs before any environment is there.
"""

import glob
import hashlib
import os
import re
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
POM = os.path.join(HERE, "pom.xml")

# The jars that Maven Central has leave out the file that names the plugin's class.
PLUGINS = {"hive": "io.trino.plugin.hive.HivePlugin", "iceberg": "io.trino.plugin.iceberg.IcebergPlugin"}
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def version():
    """The Trino version, from the one place that names it."""
    with open(POM, encoding="utf-8") as pom:
        return re.search(r"<trino.version>(.+?)</trino.version>", pom.read()).group(1)


def home():
    """Where this checkout's Trino lies."""
    return os.path.join(ROOT, ".venv", "trino-" + version())


def assemble(java, maven, say, check):
    """Make `home()` from pom.xml; does nothing when it was made from this very file."""
    with open(POM, "rb") as pom:
        digest = hashlib.sha256(pom.read() + repr(PLUGINS).encode()).hexdigest()
    mark = os.path.join(home(), "made-from")
    if os.path.exists(mark) and open(mark, encoding="utf-8").read() == digest:
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
    with open(mark, "w", encoding="utf-8") as made:
        made.write(digest)


def _copy(maven, check, module, folder):
    check(maven, "-B", "-q", "-f", POM, COPY, "-Dtrino.module=" + module, "-DincludeScope=runtime", "-DoutputDirectory=" + folder)


def _name_plugin(java, check, folder, plugin_class):
    services = os.path.join(folder, "services", "META-INF", "services")
    os.makedirs(services)
    with open(os.path.join(services, "io.trino.spi.Plugin"), "w", encoding="utf-8") as service:
        service.write(plugin_class + "\n")
    archive = os.path.join(folder, "services.jar")
    root = os.path.join(folder, "services")
    check(os.path.join(java, "bin", "jar"), "--create", "--no-manifest", "--file", archive, "-C", root, "META-INF")
    shutil.rmtree(root)


def _share_jars():
    """One copy of a jar that more than one folder has."""
    seen = {}
    for path in sorted(glob.glob(os.path.join(home(), "**", "*.jar"), recursive=True)):
        first = seen.setdefault((os.path.basename(path), os.path.getsize(path)), path)
        if first != path:
            os.remove(path)
            os.link(first, path)
