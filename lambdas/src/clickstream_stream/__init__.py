"""The two AWS Lambda functions of the stream: one line a record, one flat folder of staged objects."""
