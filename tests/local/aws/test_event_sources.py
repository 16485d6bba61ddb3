"""S3 -> SQS -> function, as the stage function needs it. ministack's own; here is what we count on."""

import json
import uuid


def queue_path(aws, visibility_seconds):
    """A bucket whose new objects go to a function through a queue: (bucket, proof bucket, dead letters' URL)."""
    sqs, s3 = aws.client("sqs"), aws.client("s3")
    bucket, proof = aws.bucket(), aws.bucket()
    name = f"q-{uuid.uuid4().hex[:8]}"
    dead = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    dead_arn = f"arn:aws:sqs:us-east-1:000000000000:{name}-dlq"
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "2"})
    sqs.create_queue(
        QueueName=name, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": str(visibility_seconds)}
    )
    queue_arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": queue_arn,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}},
                }
            ]
        },
    )
    function = aws.function("handle_queue", PROOF_BUCKET=proof)
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn, FunctionName=function, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    return bucket, proof, dead


def test_a_put_reaches_the_function_long_before_what_is_held_by_another_is_seen_again(aws, wait):
    bucket, proof, _dead = queue_path(aws, visibility_seconds=30)
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key="raw/warm-up.gz", Body=b"x")
    wait(lambda: aws.objects(proof), "the first event")
    s3.put_object(Bucket=bucket, Key="other/ignored.gz", Body=b"x")
    s3.put_object(Bucket=bucket, Key="raw/a b+c=é.gz", Body=b"x")
    wait(lambda: len(aws.objects(proof)) == 2, "the second event", seconds=20)
    assert sorted(aws.objects(proof)) == ["raw/a+b%2Bc%3D%C3%A9.gz#1", "raw/warm-up.gz#1"]


def test_a_partial_failure_is_tried_again_alone_and_then_goes_to_the_dead_letters(aws, wait):
    bucket, proof, dead = queue_path(aws, visibility_seconds=5)
    for name in ("good-1", "poison", "good-2"):
        aws.client("s3").put_object(Bucket=bucket, Key=f"raw/{name}", Body=b"x")

    def dead_letters():
        return aws.client("sqs").receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages")

    letters = wait(dead_letters, "the dead letter")
    assert [json.loads(m["Body"])["Records"][0]["s3"]["object"]["key"] for m in letters] == ["raw/poison"]
    assert sorted(aws.objects(proof)) == ["raw/good-1#1", "raw/good-2#1", "raw/poison#1", "raw/poison#2"]


def test_a_burst_of_events_starts_few_processes(aws, wait):
    bucket, proof, _dead = queue_path(aws, visibility_seconds=30)
    for number in range(60):
        aws.client("s3").put_object(Bucket=bucket, Key=f"raw/{number:03d}", Body=b"x")
    wait(lambda: len(aws.objects(proof)) == 60, "60 events")
    proofs = [json.loads(body) for body in aws.objects(proof).values()]
    assert len({entry["pid"] for entry in proofs}) <= 5


def test_a_burst_of_direct_events_starts_at_most_eight_processes(aws, wait):
    bucket, proof = aws.bucket(), aws.bucket()
    function = aws.function("handle_direct", PROOF_BUCKET=proof)
    aws.client("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    for number in range(20):
        aws.client("s3").put_object(Bucket=bucket, Key=f"{number:03d}", Body=b"x")
    wait(lambda: len(aws.objects(proof)) == 20, "20 events")
    assert len(set(aws.objects(proof).values())) <= 8
