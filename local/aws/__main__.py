"""`python -m local.aws --port P --state-dir DIR`: the local stand-in for AWS, one process."""

import argparse
import importlib
import os
import shutil
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit code 0 after a clean stop, 1 when it could not start."""
    parser = argparse.ArgumentParser(prog="python -m local.aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port to listen at")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at, which a container must have wider")
    parser.add_argument("--state-dir", type=Path, required=True, help="folder for everything that outlives a stop")
    parser.add_argument("--check-permissions", action="store_true", help="check signatures and IAM policies")
    options = parser.parse_args(arguments)
    prepare(options.port, options.state_dir.resolve(), options.check_permissions)
    # Only now: ministack reads its settings from the environment when it is imported.
    serve = importlib.import_module("local.aws.server").serve

    return int(serve(options.port, options.state_dir.resolve(), options.host))


def prepare(port: int, state: Path, check_permissions: bool) -> None:
    """Make the folders and set the environment that ministack and the function processes read."""
    temporary = state / "tmp"
    # Whatever a killed process left: unpacked function code.
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    endpoint = f"http://127.0.0.1:{port}"
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_REGION="us-east-1",
        MINISTACK_ACCOUNT_ID="000000000000",
        PERSIST_STATE="1",
        STATE_DIR=str(state / "services"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(state / "s3"),
        TMPDIR=str(temporary),
        LAMBDA_EXECUTOR="local",
        LAMBDA_WARM_TTL_SECONDS="60",
        # Listeners that are not needed here.
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        # Functions inherit this environment, so they reach this process and nothing else.
        AWS_ENDPOINT_URL=endpoint,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
    )
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ["AUTH"] = str(check_permissions).lower()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "USE_SSL"):
        os.environ.pop(name, None)


if __name__ == "__main__":
    sys.exit(main())
