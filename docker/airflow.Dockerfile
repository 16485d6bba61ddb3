# Airflow with exactly the locked packages. DAGs, plugins and include are mounted: see docker-compose.yaml.
FROM apache/airflow:3.3.2-python3.12 AS airflow

# Folders of named volumes: a volume takes owner and mode of the folder that it is first mounted over.
RUN mkdir -p /opt/airflow/account /opt/airflow/logs

# `sync` takes away what the public image has beside the lock.
COPY requirements/airflow-docker.lock /opt/clickstream/
RUN uv pip sync --no-cache --require-hashes /opt/clickstream/airflow-docker.lock

COPY docker/with_settings.py /opt/clickstream/

# The same with what tests need.
FROM airflow AS test

COPY requirements/test.lock /opt/clickstream/
RUN uv pip sync --no-cache --require-hashes /opt/clickstream/test.lock
