"""The collector: an AWS Lambda function that takes events from any Segment-spec SDK and puts them on the stream."""
