"""Local stand-in for AWS: ministack with a crawler that crawls and a Firehose that buffers. Development only."""
