"""The simplest correct transform: decode, end with one newline, encode. It checks nothing and reports nothing."""

import base64


def lambda_handler(event, context):
    """Do as newline_transform does, for records that are one JSON object each."""
    records = []
    for record in event["records"]:
        line = base64.b64decode(record["data"]).rstrip(b"\r\n") + b"\n"
        records.append({"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(line).decode()})
    return {"records": records}
