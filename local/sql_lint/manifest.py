"""One run's manifest."""

paths = ["s3://staging/staging/20260101T000000000Z-a.gz"]
bytes = [1]
