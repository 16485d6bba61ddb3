# Airflow with the locked packages of this project. DAGs, plugins and include are mounted: see docker-compose.yaml.
# The public image adds what the lock leaves out: the drivers of Postgres.
FROM apache/airflow:3.3.2-python3.12

# Folders of named volumes: a volume takes owner and mode of the folder that it is first mounted over.
RUN mkdir -p /opt/airflow/account /opt/airflow/logs

COPY requirements/airflow.lock /opt/clickstream/
RUN uv pip install --no-cache --require-hashes --requirement /opt/clickstream/airflow.lock

COPY docker/with_settings.py /opt/clickstream/
