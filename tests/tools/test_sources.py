"""include/sources.yaml: what is told of mistakes, what it compiles to, and keys."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream_collector.sources import Key, Source, Sources, SourcesError, read_sources
from tools import sources
from tools.sources_file import SOURCES_FILE, SourcesFileError, compile_sources, parse, read_file

MISTAKES = yaml.safe_load((Path(__file__).parent / "sources" / "mistakes.yaml").read_text(encoding="utf-8"))
DAY = date(2026, 11, 28)
FULL = """
version: 1
host: events.shop.example/in
sources:
  shop:
    id: web_1
    kind: web
    keys:
      - {key: wk_00000001, state: active}
      - {key: wk_00000002, state: retiring, until: 2027-01-31}
    origins: [https://shop.example, "https://*.shop.example:8443"]
    limit: {events_a_second: 0.5}
    ip: truncate
    clock: robust
    consent: {need: [analytics], else: drop, honour_gpc: true}
    bots: off
    cookie: {domain: shop.example}
    plan: {at_door: off}
    strict: true
    settings: {batching: {size: 20, timeout: 1000}}
  orders:
    id: server_1
    kind: server
    keys:
ORDERS
"""
ORDERS = f"      - {{sha256: {hashlib.sha256(b'a secret').hexdigest()}, state: paused}}"
FULL = FULL.replace("ORDERS", ORDERS)


def found(read: Sources, key: str) -> tuple[Source, Key]:
    """The source of a key that is let in."""
    source = read.find(key, DAY)
    assert source
    return source


@pytest.mark.parametrize("case", MISTAKES, ids=[case["why"] for case in MISTAKES])
def test_mistakes_are_told_with_line_entry_and_fix(case: dict[str, Any]) -> None:
    with pytest.raises(SourcesFileError) as error:
        parse(case["file"], "sources.yaml")

    assert str(error.value).splitlines() == case["told"]


def test_no_key_is_told() -> None:
    with pytest.raises(SourcesFileError) as error:
        parse(FULL.replace("wk_00000001", "a secret key").replace("wk_00000002", "wk_00000003"), "sources.yaml")

    assert "secret" not in str(error.value)


def test_the_file_of_the_repository_is_right() -> None:
    assert read_sources(compile_sources(read_file()).encode()).by_name.keys() == read_file()["sources"].keys()


def test_what_is_written_is_what_the_collector_reads() -> None:
    compiled = compile_sources(parse(FULL, "sources.yaml"))
    read = read_sources(compiled.encode())

    assert "wk_0000000" not in compiled
    assert read.host == "events.shop.example/in"
    shop, key = found(read, "wk_00000002")
    assert (key.number, key.state, key.until) == (2, "retiring", date(2027, 1, 31))
    assert (shop.id, shop.kind, shop.limit, shop.ip, shop.clock) == ("web_1", "web", 0.5, "truncate", "robust")
    assert (shop.bots, shop.plan, shop.strict) == ("off", "off", True)
    assert (shop.consent.need, shop.consent.otherwise, shop.consent.honour_gpc) == (("analytics",), "drop", True)
    assert shop.batching == {"size": 20, "timeout": 1000}
    assert shop.cookie_domain == "shop.example"
    assert [shop.allows(origin) for origin in ("https://shop.example", "https://a.b.shop.example:8443")] == [True, True]
    assert not any(
        map(shop.allows, ("http://shop.example", "https://shopXexample", "https://www.shop.example", "null"))
    )
    orders, key = found(read, "a secret")
    assert (orders.is_client, key.state) == (False, "paused")
    assert read.find("wk_00000003", DAY) is None
    assert read.find("", DAY) is None


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"sources": None},
        {
            "sources": {"shop": {"id": "a", "kind": "web"}},
            "keys": {"x": {"source": "gone", "number": 1, "state": "active"}},
        },
        {"sources": {"shop": {"id": "a", "kind": "phone"}}},
        {"sources": {"shop": {"id": "", "kind": "web"}}},
        {"sources": {"shop": {"id": "a", "kind": "web", "origins": "https://a"}}},
        {"sources": {"shop": {"id": "a", "kind": "web", "limit": "much"}}},
        {"keys": {"x": {"source": "shop", "number": 1, "state": "active", "until": "soon"}}},
    ],
)
def test_a_compiled_object_that_is_broken_is_not_used(change: dict[str, Any]) -> None:
    good = json.loads(compile_sources(parse(FULL, "sources.yaml")))

    with pytest.raises(SourcesError):
        read_sources(json.dumps({**good, **change}).encode())


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_object_are_not_used(broken: bytes) -> None:
    with pytest.raises(SourcesError):
        read_sources(broken)


@pytest.mark.parametrize(("source", "is_secret"), [("shop", False), ("orders", True)])
def test_a_new_key_is_let_in_by_the_entry_that_is_shown(
    source: str, is_secret: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(FULL, encoding="utf-8")

    assert sources.main("key", file, source=source) == 0

    told, _, entry = capsys.readouterr().out.rstrip().splitlines()
    key = told.split()[-1]
    assert (key in entry) is not is_secret
    changed = FULL.replace("      - {key: wk_00000001, state: active}" if source == "shop" else ORDERS, entry)
    assert found(read_sources(compile_sources(parse(changed, "x")).encode()), key)[0].name == source


def test_no_two_keys_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        sources.main("key", SOURCES_FILE, source="shop_web")

    first, second = [line for line in capsys.readouterr().out.splitlines() if "write key of" in line]
    assert first != second


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "sources.yaml", tmp_path / "sources.json"
    file.write_text(FULL, encoding="utf-8")

    assert sources.main("check", file) == 0
    assert sources.main("compile", file, out=str(out)) == 0
    assert sources.main("compile", file) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "sources.yaml: 2 sources, 3 keys"
    assert json.loads(said.partition("\n")[2]) == json.loads(out.read_text())
    assert sources.main("key", file, source="nobody") == 1
    assert sources.main("check", tmp_path / "gone") == 1
    assert "make source-key SOURCE=..., one of orders, shop" in capsys.readouterr().err
