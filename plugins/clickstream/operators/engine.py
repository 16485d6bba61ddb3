"""Where statements run: on Trino, or with CLICKSTREAM_ENGINE=athena on Amazon Athena."""

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.trino.hooks.trino import TrinoHook

from clickstream.athena.runner import AthenaRunner
from clickstream.engine.query import QueryRunner, Runner
from clickstream.settings import Settings


def connect(settings: Settings) -> Runner:
    """Return a runner of its own on the engine of these settings."""
    if settings.is_athena:
        athena, glue = (AwsBaseHook(settings.aws_conn_id, client_type=name).get_conn() for name in ("athena", "glue"))
        return AthenaRunner(athena, glue, settings)
    return QueryRunner(TrinoHook(settings.trino_conn_id).get_conn())
