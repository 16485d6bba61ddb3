"""A transform as most are written: parse each record and write it again, so that a bad one is noticed."""

import base64
import json


def lambda_handler(event, context):
    """Do as newline_transform does, but the text of a record does not stay as it was sent."""
    records = []
    for record in event["records"]:
        try:
            data = json.loads(base64.b64decode(record["data"]))
            line = (json.dumps(data) + "\n").encode()
            records.append({"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(line).decode()})
        except ValueError:
            failed = {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
            records.append(failed)
    return {"records": records}
