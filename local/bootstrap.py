"""Check what this machine must have, install the locked rest into the checkout, then run the command.

`python3 local/bootstrap.py COMMAND ...`; the Makefile calls it. Standard library only, and old Pythons must be able to
read it, so that a missing prerequisite prints a sentence and not a traceback.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENVS = os.path.join(ROOT, ".venv")
OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 13)
JDK = 25

# The environments that a command needs, beside uv's own.
FOR_TESTS = ["test", "local", "airflow", "bench"]
ENVIRONMENTS = {
    "lint": ["lint"],
    "fmt": ["lint"],
    "sbom": ["lint"],
    "lock": [],
    "docs": ["test"],
    "test": FOR_TESTS,
    "test-faults": FOR_TESTS,
    "check-all": ["lint", *FOR_TESTS],
    "bench": FOR_TESTS,
    "env-from-stack": ["local"],
    "plan-check": ["airflow"],
    "plan-import": ["airflow"],
    "plan-export": ["airflow"],
    "plan-diff": ["airflow"],
    "plan-suggest": ["airflow"],
    "sources-check": ["airflow"],
    "sources-compile": ["airflow"],
    "source-key": ["airflow"],
    "sql-render": ["airflow"],
    "check-config": ["airflow"],
    "live": ["airflow"],
    "collector-check": ["airflow"],
    "migrate": ["airflow"],
    "mwaa-zip": ["local"],
}
DEFAULT_ENVIRONMENTS = ["local", "airflow"]
WITHOUT_TRINO = (
    "lint", "fmt", "sbom", "lock", "docs", "down", "clean", "status", "send", "plan-check", "plan-import",
    "env-from-stack", "plan-export", "plan-diff", "plan-suggest", "check-config", "migrate",
    "mwaa-zip", "sources-check", "sources-compile", "source-key", "live", "sql-render", "collector-check",
)  # fmt: skip


def fail(message):
    """End with a reason."""
    sys.exit("clickstream: " + message)


LEVELS = ("unit", "sql", "end_to_end", "faults")


def pytest(*arguments):
    """Run pytest with these arguments, in the environment of the tests."""
    return ("test", "python", "-m", "pytest", *arguments)


def chosen_tests():
    """Return the arguments of `make test`: TESTS, else the tests of LEVEL or all, in two parallel processes."""
    tests, level = os.environ.get("CLICKSTREAM_TESTS"), os.environ.get("CLICKSTREAM_LEVEL")
    if tests:
        return shlex.split(tests)
    if level and level not in LEVELS:
        fail("LEVEL={}: there are {}".format(level, ", ".join(LEVELS)))
    return [*IN_TWO_PROCESSES, *(["-m", "{} and not slow".format(level)] if level else [])]


# More than two would wait for the one Trino. tests/conftest.py says what stays in one process.
IN_TWO_PROCESSES = ["--numprocesses", "2", "--no-loadscope-reorder"]

# Commands that are other people's programs, each run in turn: environment, program, arguments.
PROGRAMS = {
    "lint": [
        ("lint", "ruff", "check", "."),
        ("lint", "ruff", "format", "--check", "."),
        ("lint", "sqlfluff", "lint", "--processes", "2", "include/sql"),
        # Whether what Athena is sent can be read in its dialect, and no style.
        (
            "lint",
            "sqlfluff",
            "lint",
            "--dialect",
            "athena",
            "--templater",
            "raw",
            "--rules",
            "LT12",
            os.path.join("tests", "clickstream", "athena"),
        ),
        ("lint", "mypy"),
        ("lint", "env", "PYTHONPATH=plugins", os.path.join(VENVS, "lint", "bin", "lint-imports")),
        ("lint", "hadolint", "docker/airflow.Dockerfile", "docker/local.Dockerfile"),
        (
            "lint",
            "checkov",
            "--quiet",
            "--compact",
            "--skip-download",
            "--file",
            "lambdas/template.yaml",
            "lambdas/athena.yaml",
        ),
        ("lint", "bash", os.path.join(".ci", "no-secrets")),
        ("lint", "check-jsonschema", "--quiet", "--builtin-schema", "vendor.compose-spec", "docker-compose.yaml"),
    ],
    "fmt": [
        ("lint", "ruff", "check", "--fix", "."),
        ("lint", "ruff", "format", "."),
        ("lint", "sqlfluff", "fix", "--processes", "2", "include/sql"),
    ],
    "test": [pytest(*chosen_tests())],
    # An empty -m takes back the one in pyproject.toml, which leaves the slow fault tests out.
    "test-faults": [pytest("-m", "", "tests/faults")],
    "bench": [("test", "python", "-m", "bench")],
    "docs": [
        ("test", "python", "-m", "tests.promises"),
        ("test", "python", "-m", "tools.dictionary_page"),
        ("test", "python", "-m", "tools.settings_page"),
        ("test", "python", "-m", "tools.cost_page"),
    ],
    "env-from-stack": [
        ("local", "python", "-m", "tools.env_from_stack", "--stack", os.environ.get("CLICKSTREAM_STACK", "")),
    ],
    "plan-check": [("airflow", "python", "-m", "tools.plan", "check")],
    "plan-import": [("airflow", "python", "-m", "tools.plan", "import")],
    "plan-export": [("airflow", "python", "-m", "tools.plan", "export")],
    "plan-diff": [("airflow", "python", "-m", "tools.plan", "diff")],
    "plan-suggest": [("airflow", "python", "-m", "tools.plan", "suggest")],
    "sources-check": [("airflow", "python", "-m", "tools.sources", "check")],
    "sources-compile": [("airflow", "python", "-m", "tools.sources", "compile")],
    "source-key": [("airflow", "python", "-m", "tools.sources", "key")],
    "sql-render": [("airflow", "python", "-m", "tools.sql_render")],
    "sbom": [
        ("lint", "cyclonedx-py", "requirements", "requirements/airflow.lock", "--of", "JSON", "-o", "airflow.cdx.json")
    ],
    "check-config": [("airflow", "python", "-m", "tools.config_check")],
    "live": [("airflow", "python", "-m", "tools.live")],
    "collector-check": [("airflow", "python", "-m", "tools.collector_check")],
    "migrate": [("airflow", "python", "-m", "tools.migrate")],
    "mwaa-zip": [("local", "python", "-m", "tools.mwaa_zip")],
    "lock": [("uv", "bash", os.path.join("requirements", "lock.sh"))],
}
PROGRAMS["check-all"] = [*PROGRAMS["lint"], pytest(*IN_TWO_PROCESSES, "-m", "")]


class MissingError(Exception):
    """A prerequisite is missing; the message says which and how to get it."""


def main(arguments):
    """Prepare what `arguments` need, then become them."""
    command = arguments[0] if arguments else "--help"
    environments = ENVIRONMENTS.get(command, DEFAULT_ENVIRONMENTS)
    needs_trino = command not in WITHOUT_TRINO and not command.startswith("-")
    problems = []
    python = attempt(find_python, problems)
    java = attempt(find_jdk, problems) if needs_trino else None
    maven = attempt(find_maven, problems) if needs_trino else None
    if problems:
        fail("\n".join(problems))
    prepare(python, environments, java, maven)
    os.chdir(ROOT)
    if command in PROGRAMS:
        sys.exit(run_programs(PROGRAMS[command], arguments[1:]))
    runner = executable("local", "python")
    os.execv(runner, [runner, "-m", "local", *arguments])  # noqa: S606 - this process becomes the command


def run_programs(programs, more):
    """Run each, the last with `more` arguments, even after one failed; 0 when all went well."""
    codes = []
    for index, (environment, program, *arguments) in enumerate(programs):
        path = executable(environment, program)
        path = path if os.path.exists(path) else program
        last = index == len(programs) - 1
        codes.append(subprocess.run([path, *arguments, *(more if last else [])], check=False).returncode)
    return next((code for code in codes if code), 0)


def attempt(find, problems):
    """Return what `find` finds, or None with its complaint added to `problems`."""
    try:
        return find()
    except MissingError as problem:
        problems.append(str(problem))
        return None


def output(*command):
    """Return what a command prints, both streams; empty when it cannot be run or fails."""
    try:
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=True, universal_newlines=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def find_python():
    """Return a Python that everything here runs on: $PYTHON, this one, or one on the PATH."""
    names = ["python3.{}".format(minor) for minor in range(NEWEST_PYTHON[1], OLDEST_PYTHON[1] - 1, -1)]
    for candidate in [os.environ.get("PYTHON"), sys.executable, *names]:
        if not candidate:
            continue
        found = output(candidate, "-c", "import sys; print(*sys.version_info[:2], sys.executable)").split(None, 2)
        if len(found) == 3 and OLDEST_PYTHON <= (int(found[0]), int(found[1])) <= NEWEST_PYTHON:
            return found[2].strip()
    raise MissingError(
        "Python 3.11 to 3.13 is needed, this is {}.{}. Install one (Debian: apt install python3 python3-venv, "
        "macOS: brew install python@3.13) or name it: make PYTHON=/path/to/python3.13 ...".format(*sys.version_info[:2])
    )


def find_jdk():
    """Return the home of a JDK 25 or newer: $JAVA_HOME, /usr/lib/jvm, macOS's folder, or the one on the PATH."""
    homes = [os.environ.get("JAVA_HOME", "")]
    for folder in ("/usr/lib/jvm", "/Library/Java/JavaVirtualMachines"):
        if os.path.isdir(folder):
            homes += [os.path.join(folder, name) for name in sorted(os.listdir(folder), reverse=True)]
    homes += [os.path.join(home, "Contents", "Home") for home in homes if home.startswith("/Library")]
    on_path = shutil.which("java")
    if on_path:
        homes.append(os.path.dirname(os.path.dirname(os.path.realpath(on_path))))
    for home in homes:
        if home and jdk_version(home) >= JDK:
            return home
    raise MissingError(
        "a JDK {0} is needed to run Trino (a full JDK: it must have the Vector API module). Install one (Debian with "
        "Adoptium's packages: apt install temurin-{0}-jdk, macOS: brew install openjdk@{0}) or set JAVA_HOME".format(
            JDK
        )
    )


def jdk_version(home):
    """Return the major version of the JDK at `home`; 0 when there is none."""
    try:
        with open(os.path.join(home, "release"), encoding="utf-8") as release:
            for line in release:
                if line.startswith("JAVA_VERSION="):
                    return int(line.split('"')[1].split(".")[0].split("-")[0].split("+")[0])
    except (OSError, ValueError, IndexError):
        pass
    return 0


def find_maven():
    """Return the path of mvn."""
    path = shutil.which("mvn")
    if path is None:
        raise MissingError(
            "Maven is needed to fetch Trino. Install it (Debian: apt install maven, macOS: brew install maven)"
        )
    return path


def prepare(python, environments, java, maven):
    """Make the environments and assemble Trino, side by side; quick when nothing changed."""
    failures = []

    def run(work, *arguments):
        try:
            work(*arguments)
        except subprocess.CalledProcessError as error:
            failures.append("{} failed:\n{}".format(" ".join(map(str, error.cmd[:6])), (error.stdout or "")[-3000:]))
        except OSError as error:
            failures.append(str(error))

    trino = threading.Thread(target=run, args=(assemble_trino, java, maven))
    if java and maven:
        os.environ["JAVA_HOME"] = java
        trino.start()
    run(make_environments, python, environments)
    if java and maven:
        trino.join()
    if failures:
        fail("\n".join(failures))


def make_environments(python, names):
    """Return the virtual environments `names`, each with exactly what its lock file lists."""
    uv = executable("uv", "uv")
    if not is_current("uv", python):
        say("installing uv")
        check(python, "-m", "venv", "--clear", os.path.join(VENVS, "uv"))
        lock = os.path.join(ROOT, "requirements", "uv.lock")
        check(executable("uv", "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", lock)
        mark_current("uv", python)
    for name in names:
        if is_current(name, python):
            continue
        say("installing environment {}".format(name))
        environment = dict(os.environ, VIRTUAL_ENV=os.path.join(VENVS, name), **index_settings())
        check(uv, "venv", "--quiet", "--clear", "--python", python, os.path.join(VENVS, name), env=environment)
        lock = os.path.join(ROOT, "requirements", name + ".lock")
        check(uv, "pip", "sync", "--quiet", "--require-hashes", lock, env=environment)
        mark_current(name, python)


def index_settings():
    """Return pip's package index and certificates for uv, which does not read pip's settings. uv's own settings win."""
    settings = {}
    index = output(executable("uv", "python"), "-m", "pip", "config", "get", "global.index-url").strip()
    if os.environ.get("PIP_INDEX_URL") or index:
        settings["UV_DEFAULT_INDEX"] = os.environ.get("PIP_INDEX_URL") or index
    if os.environ.get("PIP_CERT"):
        settings["SSL_CERT_FILE"] = os.environ["PIP_CERT"]
    return {name: value for name, value in settings.items() if name not in os.environ}


def executable(environment, name):
    """Return the path of a program of an environment."""
    return os.path.join(VENVS, environment, "bin", name)


def fingerprint(name, python):
    """Return what an environment depends on, as a digest."""
    with open(os.path.join(ROOT, "requirements", name + ".lock"), "rb") as lock:
        return hashlib.sha256(lock.read() + python.encode()).hexdigest()


def is_current(name, python):
    """Return whether an environment is there and was made from the present lock file."""
    try:
        with open(os.path.join(VENVS, name, "made-from"), encoding="utf-8") as mark:
            return mark.read() == fingerprint(name, python)
    except OSError:
        return False


def mark_current(name, python):
    """Note what an environment was made from."""
    with open(os.path.join(VENVS, name, "made-from"), "w", encoding="utf-8") as mark:
        mark.write(fingerprint(name, python))


def assemble_trino(java, maven):
    """Assemble Trino's jars, through local/trino/assemble.py."""
    sys.path.insert(0, ROOT)
    from local.trino.assemble import assemble  # noqa: PLC0415 - found only now

    assemble(java, maven, say, check)


def check(*command, **options):
    """Run a command; raise CalledProcessError with its output when it fails."""
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, universal_newlines=True, **options
    ).stdout


def say(message):
    """Progress, on stderr: stdout belongs to the command."""
    print("clickstream: " + message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
