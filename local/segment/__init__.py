"""Segment on one machine: a believable day of events, and a sender that behaves like Segment's Kinesis destination."""
