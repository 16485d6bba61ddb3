"""Call a delivery stream's transform function, with the retries that Firehose makes."""

import json
import threading
import uuid
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.firehose_settings import DeliverySettings, LambdaProcessor
from local.aws.firehose_transform import (
    MAX_RESPONSE_BYTES,
    Outcome,
    SourceRecord,
    batch_failed,
    read_answer,
    transform_event,
)

FIRST_PAUSE_SECONDS = 0.2


class InvocationError(Exception):
    """The function returned no answer. `code` is Firehose's error code for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StoppedError(Exception):
    """The process is stopping, so the batch is neither done nor failed."""


class TransformInvoker:
    """Synchronous invocations of the deployed function through the Lambda API of the same process."""

    def __init__(self, client: Any, settings: DeliverySettings, stopping: threading.Event) -> None:
        assert settings.transform is not None
        self._client = client
        self._settings = settings
        self._transform: LambdaProcessor = settings.transform
        self._stopping = stopping

    def transform(self, batch: Sequence[SourceRecord]) -> Outcome:
        """Return the outcome of one batch; all of it failed after the last retry. Raises StoppedError on stop."""
        event = transform_event(
            batch,
            invocation_id=str(uuid.uuid4()),
            stream_arn=self._settings.arn,
            kinesis_arn=self._settings.kinesis_arn,
            region=self._settings.arn.split(":")[3],
        )
        payload = json.dumps(event, separators=(",", ":")).encode()
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(1, self._transform.retries + 2):
            try:
                return read_answer(batch, self._invoke(payload))
            except InvocationError as error:
                if self._stopping.is_set():
                    raise StoppedError from error
                failure = error
            if attempt <= self._transform.retries:
                self._stopping.wait(pause)
                pause *= 2
        return batch_failed(batch, failure.code, str(failure), self._transform.retries + 1)

    def _invoke(self, payload: bytes) -> object:
        try:
            response = self._client.invoke(FunctionName=self._transform.function_arn, Payload=payload)
            answer: bytes = response["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            raise InvocationError("Lambda.FunctionError", str(error)) from error
        if response.get("FunctionError"):
            text = answer.decode(errors="replace")
            code = "Lambda.FunctionTimedOut" if "Task timed out" in text else "Lambda.FunctionError"
            raise InvocationError(code, f"The function failed: {text[:1000]}")
        if len(answer) > MAX_RESPONSE_BYTES:
            raise InvocationError("Lambda.FunctionError", "The function failed: body size is too long")
        try:
            return json.loads(answer)
        except ValueError:
            return None
