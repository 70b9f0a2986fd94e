"""Stands in for the training toolkit (script mode of SageMaker SDK 2): unpacks the user's code and runs the program.

    train_script.py FRAMEWORK_MODULE [SOURCE_ARCHIVE]

Hyperparameters, files, SM_ variables, arguments and the form of a failure follow the toolkit.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

from rewrite import rewrite_folder

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def decoded(value):
    """SDK 2 writes hyperparameters as JSON, people write them as they are."""
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def compact(value):
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def argument(value):
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return str(value)


def user_arguments(hyperparameters):
    result = []
    for name in sorted(hyperparameters):
        result.append(f"-{name}" if len(name) == 1 else f"--{name}")
        result.append(argument(hyperparameters[name]))
    return result


def read_config(name):
    return json.loads((BASE / "input" / "config" / name).read_text())


def environment(hyperparameters, program, framework):
    resources = read_config("resourceconfig.json")
    channels = read_config("inputdataconfig.json")
    arguments = user_arguments(hyperparameters)
    module = Path(program).stem
    data = BASE / "input" / "data"
    variables = {
        "HOSTS": resources["hosts"],
        "CURRENT_HOST": resources["current_host"],
        "NETWORK_INTERFACE_NAME": resources.get("network_interface_name", "eth0"),
        "CURRENT_INSTANCE_TYPE": resources.get("current_instance_type", ""),
        "CURRENT_INSTANCE_GROUP": resources.get("current_group_name", "homogeneousCluster"),
        "CURRENT_INSTANCE_GROUP_HOSTS": resources["hosts"],
        "INSTANCE_GROUPS": [resources.get("current_group_name", "homogeneousCluster")],
        "INSTANCE_GROUPS_DICT": {group["instance_group_name"]: group for group in resources.get("instance_groups", [])},
        "IS_HETERO": "false",
        "NUM_CPUS": str(os.cpu_count()),
        "NUM_GPUS": "0",
        "NUM_NEURONS": "0",
        "HPS": hyperparameters,
        "USER_ARGS": arguments,
        "USER_ENTRY_POINT": program,
        "MODULE_NAME": module,
        "MODULE_DIR": str(BASE / "code"),
        "FRAMEWORK_MODULE": framework,
        "FRAMEWORK_PARAMS": {},
        "CHANNELS": sorted(channels),
        "INPUT_DATA_CONFIG": channels,
        "RESOURCE_CONFIG": resources,
        "INPUT_DIR": str(BASE / "input"),
        "INPUT_CONFIG_DIR": str(BASE / "input" / "config"),
        "OUTPUT_DIR": str(BASE / "output"),
        "OUTPUT_DATA_DIR": str(BASE / "output" / "data"),
        "OUTPUT_INTERMEDIATE_DIR": str(BASE / "output" / "intermediate"),
        "MODEL_DIR": str(BASE / "model"),
        "LOG_LEVEL": "20",
    }
    for name, value in hyperparameters.items():
        variables[f"HP_{name.upper().replace('-', '_')}"] = value
    for name in channels:
        variables[f"CHANNEL_{name.upper()}"] = str(data / name)
    result = {f"SM_{name}": compact(value) for name, value in variables.items()}
    result["SM_TRAINING_ENV"] = compact({name.lower(): value for name, value in variables.items()})
    return result


def unpack(archive, target):
    """Only regular files and folders below the target: an archive is other people's data."""
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = os.path.normpath(os.path.join(target, member.name))
            if not (member.isfile() or member.isdir()) or os.path.commonpath([target, path]) != str(target):
                raise ValueError(f"{archive.name} holds {member.name}, which is no plain file below its folder")
            member.mode |= 0o700 if member.isdir() else 0o600
            if hasattr(tarfile, "data_filter"):
                tar.extract(member, target, filter="data")
            else:
                tar.extract(member, target)


def fail(text):
    (BASE / "output").mkdir(parents=True, exist_ok=True)
    (BASE / "output" / "failure").write_text(text)
    print(text, file=sys.stderr, flush=True)


def run(command, variables, folder):
    """(exit code, last lines of its standard error); both streams go on to ours."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # the program gets it too and decides
    process = subprocess.Popen(command, env={**os.environ, **variables}, cwd=folder, stderr=subprocess.PIPE)
    tail = []

    def forward():
        for line in process.stderr:
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
            tail.append(line.decode(errors="replace"))
            del tail[:-20]

    reader = threading.Thread(target=forward, daemon=True)
    reader.start()
    code = process.wait()
    reader.join(timeout=5)
    return code, "".join(tail).strip()


def main(framework, archive=None):
    given = {name: decoded(value) for name, value in read_config("hyperparameters.json").items()}
    program = given["sagemaker_program"]
    hyperparameters = {name: value for name, value in given.items() if not name.startswith("sagemaker_")}
    for folder in ("code", "model", "output/data", "output/intermediate"):
        (BASE / folder).mkdir(parents=True, exist_ok=True)
    code = BASE / "code"
    if archive is not None:
        unpack(Path(archive), code)
        if str(BASE) != "/opt/ml":
            rewrite_folder(code, str(BASE))
    if not (code / program).is_file():
        fail(f"The program {program} (hyperparameter sagemaker_program) is not in the submitted code")
        return 1

    requirements = code / "requirements.txt"
    if requirements.exists():
        pip = subprocess.run([sys.executable, "-m", "pip", "install", "-r", str(requirements)], check=False)
        if pip.returncode != 0:
            print("requirements.txt could not be installed; going on with what is there", file=sys.stderr, flush=True)

    arguments = user_arguments(hyperparameters)
    if program.endswith(".sh"):
        (code / program).chmod(0o777)  # the toolkit does not ask how it was packed
        command = ["/bin/sh", "-c", f"./{program} {' '.join(map(shlex.quote, arguments))}"]
    else:
        command = [sys.executable, program, *arguments]
    variables = environment(hyperparameters, program, framework)
    variables["PYTHONPATH"] = os.pathsep.join([str(code), *filter(None, [os.environ.get("PYTHONPATH")])])
    print(f"INFO:sagemaker-training-toolkit:Invoking script with the following command: {' '.join(map(str, command))}", flush=True)
    exit_code, error = run(command, variables, code)
    if exit_code != 0:
        # The toolkit quotes the last exception line of the program's standard error.
        lines = [line for line in error.splitlines() if re.match(r"\w+(\.\w+)*(Error|Exception|Exit|Interrupt)\b", line)]
        message = (lines or error.splitlines() or [""])[-1]
        fail(f'ExecuteUserScriptError:\nExitCode {exit_code}\nErrorMessage "{message}"\nCommand "{" ".join(map(str, command))}"')
        return exit_code if exit_code > 0 else 128 - exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
