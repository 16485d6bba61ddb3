"""A transform that does what the record says: its text names the result."""

import base64


def handler(event, context):
    return {"records": [entry for record in event["records"] for entry in answers(record)]}


def answers(record):
    text = base64.b64decode(record["data"]).decode()
    if "raise" in text:
        raise RuntimeError("as told")
    if "vanish" in text:
        return [{"recordId": "unknown", "result": "Ok", "data": record["data"]}]
    if "drop" in text:
        return [{"recordId": record["recordId"], "result": "Dropped"}]
    if "refuse" in text:
        return [{"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}]
    line = base64.b64encode(f"{text}\n".encode()).decode()
    return [{"recordId": record["recordId"], "result": "Ok", "data": line}]
