# The local AWS, the deployment of lambdas/template.yaml to it, and the commands of `python -m local`.
FROM python:3.12-slim-bookworm

RUN useradd --create-home --uid 1000 clickstream \
 && install --directory --owner clickstream /var/lib/clickstream/aws /var/lib/clickstream/generated

COPY requirements/local.lock /opt/clickstream/requirements/
RUN pip install --no-cache-dir --root-user-action ignore --require-hashes \
    --requirement /opt/clickstream/requirements/local.lock

WORKDIR /opt/clickstream
COPY lambdas lambdas
COPY local local

USER 1000
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["python", "-m"]
