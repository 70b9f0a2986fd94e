"""Which of [service, operation, options] the AWS CLI does not know, by its own models: a JSON list of sentences."""

import json
import sys
from pathlib import Path

import awscli
import botocore.session
from awscli.customizations.commands import BasicCommand
from awscli.customizations.s3.subcommands import CpCommand
from botocore import xform_name

everywhere = set(json.loads((Path(awscli.__file__).parent / "data" / "cli.json").read_text())["options"])
# Written by hand in the CLI, without a model.
commands: dict[tuple[str, str], type[BasicCommand]] = {("s3", "cp"): CpCommand}
session = botocore.session.get_session()


def options_of(service, operation):
    """Names of the operation's options; None when there is no such operation."""
    if (service, operation) in commands:
        return {argument["name"] for argument in commands[service, operation].ARG_TABLE}
    if service not in session.get_available_services():
        return None
    model = session.get_service_model(service)
    name = next((name for name in model.operation_names if xform_name(name, "-") == operation), None)
    if name is None:
        return None
    shape = model.operation_model(name).input_shape
    members = shape.members if shape is not None else {}
    # Paging is the CLI's own.
    return {xform_name(member, "-") for member in members} | {"max-items", "page-size", "starting-token", "no-paginate"}


problems = []
for service, operation, options in json.loads(sys.argv[1]):
    known = options_of(service, operation)
    if known is None:
        problems.append(f"aws {service} {operation} does not exist")
        continue
    problems += [f"aws {service} {operation} has no --{name}" for name in options if name not in known | everywhere]
print(json.dumps(problems))
