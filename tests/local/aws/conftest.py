"""A real local AWS process, once for the session, and clients for it."""

import io
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.places import ENVIRONMENTS

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
# Read now: other fixtures of the session take CLICKSTREAM_* out of the environment.
# The local AWS has an environment of its own; `make test` makes it.
PYTHON = os.environ.get("CLICKSTREAM_LOCAL_PYTHON", str(ENVIRONMENTS / "local" / "bin" / "python"))
ROLE = "arn:aws:iam::000000000000:role/any"


def wait_for(check: Callable[[], Any], what: str, seconds: float = 300.0) -> Any:
    """The first true value of `check`, within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s for {what}")
        time.sleep(0.03)
    return value


@dataclass
class LocalAws:
    """One server process that can be stopped, killed and started again on the same state."""

    state: Path
    root: Path = ROOT
    port: int = 0
    process: subprocess.Popen[str] | None = None
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start on a free port; returns seconds until it was ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._clients.clear()
        command = [PYTHON, "-m", "local.aws", "--port", str(self.port), "--state-dir", str(self.state)]
        started = time.monotonic()
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "ready" in line, f"the server did not start: {line!r}, exit code {self.process.poll()}"
        return time.monotonic() - started

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.endpoint}/_clickstream/health", timeout=10) as response:
            assert response.status == 200
            return dict(json.load(response))

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def bucket(self) -> str:
        """A new bucket with a name of its own."""
        name = f"b-{uuid.uuid4().hex[:12]}"
        self.client("s3").create_bucket(Bucket=name)
        return name

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        s3 = self.client("s3")
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def function(self, source: str, **environment: str) -> str:
        """Deploy functions/<source>.py under a name of its own; returns its ARN."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(HERE / "functions" / f"{source}.py", f"{source}.py")
        answer = self.client("lambda").create_function(
            FunctionName=f"{source}-{uuid.uuid4().hex[:8]}",
            Runtime="python3.12",
            Role=ROLE,
            Handler=f"{source}.handler",
            Timeout=10,
            Code={"ZipFile": packed.getvalue()},
            Environment={"Variables": environment},
        )
        return str(answer["FunctionArn"])

    def kinesis(self, shards: int = 2) -> tuple[str, str]:
        """A new stream: (name, ARN)."""
        name = f"s-{uuid.uuid4().hex[:8]}"
        self.client("kinesis").create_stream(StreamName=name, ShardCount=shards)
        return name, f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"

    def put(self, stream: str, payloads: list[bytes]) -> None:
        records = [{"Data": payload, "PartitionKey": str(number)} for number, payload in enumerate(payloads)]
        for start in range(0, len(records), 500):
            answer = self.client("kinesis").put_records(StreamName=stream, Records=records[start : start + 500])
            assert answer["FailedRecordCount"] == 0

    def delivery(
        self, bucket: str, *, kinesis: str = "", function: str = "", seconds: float = 0.5, **destination: Any
    ) -> str:
        """A new delivery stream to `bucket`; returns its name. Intervals below AWS's own are for tests only."""
        name = f"d-{uuid.uuid4().hex[:8]}"
        hints = {"SizeInMBs": 5, "IntervalInSeconds": int(seconds)}
        config: dict[str, Any] = {"BucketARN": f"arn:aws:s3:::{bucket}", "RoleARN": ROLE, "BufferingHints": hints}
        if function:
            parameters = {"LambdaArn": function, "NumberOfRetries": "1", "BufferIntervalInSeconds": "0"}
            shaped = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
            processor = {"Type": "Lambda", "Parameters": shaped}
            config["ProcessingConfiguration"] = {"Enabled": True, "Processors": [processor]}
        source: dict[str, Any] = {}
        if kinesis:
            source["DeliveryStreamType"] = "KinesisStreamAsSource"
            source["KinesisStreamSourceConfiguration"] = {"KinesisStreamARN": kinesis, "RoleARN": ROLE}
        self.client("firehose").create_delivery_stream(
            DeliveryStreamName=name, ExtendedS3DestinationConfiguration={**config, **destination}, **source
        )
        return name

    def delivered(self, name: str) -> dict[str, Any]:
        """Counters of a delivery stream once all that was sent is in S3."""

        def done() -> dict[str, Any] | None:
            report = self.health()["firehose"].get(name)
            return report if report and report["all_delivered"] else None

        return dict(wait_for(done, f"{name} to deliver everything"))


@contextmanager
def running(state: Path) -> Iterator[LocalAws]:
    """A started server; no process is left behind, whatever the test did to it."""
    server = LocalAws(state)
    try:
        server.start()
        server.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.terminate()
            try:
                server.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait(timeout=10)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One server that tests share; each makes names of its own."""
    with running(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture
def own_aws(tmp_path: Path) -> Iterator[LocalAws]:
    """A server that the test may stop and kill."""
    with running(tmp_path / "state") as server:
        yield server


@pytest.fixture
def wait() -> Callable[..., Any]:
    """`wait(check, what, seconds=300)`: the first true value of `check`."""
    return wait_for
