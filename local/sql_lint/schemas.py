"""Schemas that are asked about."""

catalog = "lake"
names = ["clickstream"]
