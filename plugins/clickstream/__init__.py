"""Segment-spec events from S3 to typed tables: what the DAGs share.

Only `operators` imports Airflow and only `aws` imports boto3; everything else is plain functions over plain values.
"""
