"""Which objects become which tables."""

import pytest

from local.aws.crawl_grouping import SampledObject, crawled_tables, group_objects, hidden
from local.aws.crawler import parse_target, read_policy
from local.aws.schema_inference import Shape

ALIKE = ("a", "b", "c")
UNLIKE = ("x", "y")


def sampled(name, keys=ALIKE, compression="gzip"):
    shape = Shape()
    shape.observe(dict.fromkeys(keys, 1))
    shape.kinds = 0
    return SampledObject(name, size=100, records=4, compression=compression, shape=shape)


def tables(objects, combine, folder="in/staging/"):
    groups = group_objects(objects, combine)
    return {t.name: (t.location, t.objects) for t in crawled_tables(groups, bucket="b", folder=folder, prefix="p_")}


@pytest.mark.parametrize(
    ("objects", "combine", "expected"),
    [
        ([], True, {}),
        ([sampled("1"), sampled("2", UNLIKE)], True, {"p_staging": ("s3://b/in/staging/", 2)}),
        (
            [sampled("1.gz"), sampled("2.gz", UNLIKE), sampled("3.gz", (*ALIKE, "d"))],
            False,
            {"p_staging": ("s3://b/in/staging/", 2), "p_2_gz": ("s3://b/in/staging/2.gz", 1)},
        ),
        (
            [sampled("1.json", compression="none"), sampled("2.gz"), sampled("3.gz")],
            True,
            {"p_staging": ("s3://b/in/staging/", 2), "p_1_json": ("s3://b/in/staging/1.json", 1)},
        ),
        (
            [sampled("1"), sampled("sub/2"), sampled("sub/deep/3")],
            True,
            {"p_staging": ("s3://b/in/staging/", 1), "p_sub": ("s3://b/in/staging/sub/", 2)},
        ),
    ],
    ids=["nothing", "combined", "unlike", "compressions", "sub-folder"],
)
def test_tables_of_a_target(objects, combine, expected):
    assert tables(objects, combine) == expected


def test_a_whole_bucket_is_named_after_the_bucket():
    assert tables([sampled("1")], True, folder="") == {"p_b": ("s3://b/", 1)}


def test_counts_are_summed_over_a_group():
    (table,) = crawled_tables(group_objects([sampled("1"), sampled("2")], True), bucket="b", folder="f/", prefix="")
    assert (table.objects, table.records, table.size) == (2, 8, 200)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("1.gz", False), ("a/b_c.gz", False), ("_x", True), (".x", True), ("a/_b/c", True), ("a/", True), ("", True)],
)
def test_hidden_names(name, expected):
    assert hidden(name) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("s3://b", ("b", "")), ("s3://b/", ("b", "")), ("s3://b/a/c", ("b", "a/c/")), ("s3://b/a/", ("b", "a/"))],
)
def test_include_paths(path, expected):
    assert parse_target(path) == expected


@pytest.mark.parametrize("path", ["", "b/a", "s3://", "jdbc:x"])
def test_an_include_path_that_is_not_s3_is_refused(path):
    with pytest.raises(ValueError, match="s3://bucket/folder"):
        parse_target(path)


def test_the_defaults_of_a_crawler_are_those_of_aws():
    policy, combine = read_policy({"Name": "c", "Configuration": ""}, "run")
    assert (policy.update, policy.delete, policy.merge_new_columns, combine) == (
        "UPDATE_IN_DATABASE",
        "DEPRECATE_IN_DATABASE",
        False,
        False,
    )
