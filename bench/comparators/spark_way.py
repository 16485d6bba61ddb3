"""The same extraction by Spark in local mode with from_json: local files to local Parquet, duplicates kept, no catalog.

`python spark_way.py SPEC` reads what to do from a JSON file and prints what it cost as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cost import Cost
from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql import types as t

Column = dict[str, Any]
Tree = dict[str, Any]
TYPES = {"boolean", "double", "bigint", "timestamp"}


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    output = Path(spec["output"])
    spark = (
        SparkSession.builder.master(f"local[{spec['cores']}]")
        .config("spark.driver.memory", spec["memory"])
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.ansi.enabled", "false")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.sql.shuffle.partitions", spec["cores"])
        .config("spark.local.dir", str(output / "spill"))
        .getOrCreate()
    )
    spark.range(1).count()
    cost = Cost()
    lines = spark.read.text(spec["objects"])
    whole = [column for column in spec["columns"] if _is_whole(column)]
    parts = [column for column in spec["columns"] if not _is_whole(column)]
    message = lines.select(
        f.from_json("value", _struct(_tree(parts))).alias("parts"),
        f.from_json("value", _struct(_tree(whole))).alias("whole"),
    )
    columns = [_value(column, "whole" if _is_whole(column) else "parts") for column in spec["columns"]]
    events = message.select(*columns)
    events = events.withColumn("hour", f.date_format("received_at", "yyyyMMddHH"))
    events.write.partitionBy("hour").parquet(str(output / "events"))
    written = spark.read.parquet(str(output / "events"))
    schema = _struct(_tree(spec["properties"]))
    for name, text in spec["names"].items():
        messages = written.where((f.col("type") == "track") & (f.col("event_text") == text))
        opened = messages.select(*spec["common"], f.from_json("properties", schema).alias("members"))
        values = [_value(column, "members") for column in spec["properties"]]
        opened.select(*spec["common"], *values).write.parquet(str(output / f"{name}.parquet"))
    print(json.dumps(cost.so_far()))
    spark.stop()


def _is_whole(column: Column) -> bool:
    """Return whether the column is a document of the message itself, kept as its text: Spark reads that as a string."""
    return column["type"] in ("json", "object") and len(column["keys"]) == 1


def _tree(columns: list[Column]) -> Tree:
    """Read every leaf as text and cast after: from_json returns null for a number in quotes."""
    tree: Tree = {}
    for column in columns:
        place = tree
        for key in column["keys"][:-1]:
            place = place.setdefault(key, {})
        place[column["keys"][-1]] = t.StringType()
    return tree


def _struct(tree: Tree) -> t.StructType:
    return t.StructType(
        [t.StructField(key, _struct(kind) if isinstance(kind, dict) else kind) for key, kind in tree.items()]
    )


def _value(column: Column, root: str) -> Any:
    value = f.col(root)
    for key in column["keys"]:
        value = value.getField(key)
    return (value.cast(column["type"]) if column["type"] in TYPES else value).alias(column["name"])


main()
