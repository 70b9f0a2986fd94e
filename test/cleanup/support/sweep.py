"""Lists everything there is, with boto3 alone: a judge that knows nothing of the product.

    sweep.py < {"endpoint": URL, "moto": URL, "regions": [...], "only": ["service:Operation", ...],
                "accounts": {ID: {"access": ..., "secret": ..., "token": ...}}}

In every account and region it asks every operation of the services that lists or describes and needs no input, all pages, and what
those lead to (instances of sets, packages of groups, executions of pipelines, versions of buckets, streams of log groups). What moto
holds is then asked of moto itself, past the front. Prints JSON: `asked`, how many operations answered, and `lines`, one per thing.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.config
import botocore.exceptions

services = ["cloudformation", "sagemaker", "s3", "logs", "kms", "ssm", "ecr", "iam"]
held_by_moto = ["s3", "logs", "kms", "ssm", "ecr"]
worldwide = ["s3", "iam"]
# What AWS gives to everybody, and what is about the caller.
common = ["ListTypes", "ListPolicies", "DescribeTypes", "GetAccountAuthorizationDetails", "GetAccountSummary", "GetUser"]
missing = ["UnknownOperationException", "NoSuchEntity", "InvalidAction", "ResourceNotFound", "ValidationException", "ValidationError"]
silent = (botocore.exceptions.ClientError, botocore.exceptions.ParamValidationError)
# Calls and times of things that are there anyway; a stack that is gone is history, and AWS tells it for 90 days.
noise = {"ResponseMetadata", "NextToken", "nextToken", "NextMarker", "Marker", "IsTruncated", "Truncated"}

request = json.load(sys.stdin)
config = botocore.config.Config(
    retries={"total_max_attempts": 2}, s3={"addressing_style": "path"}, max_pool_connections=16
)


def answers(client, operation, **given):
    """All pages of one operation, or None when nobody answers it."""
    method = botocore.xform_name(operation)
    try:
        if client.can_paginate(method):
            return list(client.get_paginator(method).paginate(**given))
        return [getattr(client, method)(**given)]
    except silent as error:
        answer = getattr(error, "response", {})
        code = answer.get("Error", {}).get("Code", "")
        # Not there, not offered, or in need of an input after all.
        if answer.get("ResponseMetadata", {}).get("HTTPStatusCode") in (404, 501) or code in missing:
            return None
        if not given and code.startswith(("Invalid", "Validation")):
            return None
        raise


def unasked(client):
    """Operations that list or describe and need no input."""
    model = client.meta.service_model
    for operation in model.operation_names:
        if not operation.startswith(("List", "Describe", "Get")) or operation in common:
            continue
        shape = model.operation_model(operation).input_shape
        if shape is None or not shape.required_members:
            yield operation


def things(pages):
    """Every member of every list of an answer, and the rest of it as one."""
    for page in pages:
        rest = {}
        for key, value in page.items():
            if key in noise:
                continue
            if isinstance(value, list):
                yield from value
            else:
                rest[key] = value
        if rest:
            yield rest


deeper = [
    ("cloudformation", "ListStackSets", "StackSetName", "ListStackInstances", "StackSetName"),
    ("sagemaker", "ListModelPackageGroups", "ModelPackageGroupName", "ListModelPackages", "ModelPackageGroupName"),
    ("sagemaker", "ListModelPackageGroups", "ModelPackageGroupName", "GetModelPackageGroupPolicy", "ModelPackageGroupName"),
    ("sagemaker", "ListPipelines", "PipelineName", "ListPipelineExecutions", "PipelineName"),
    ("s3", "ListBuckets", "Name", "ListObjectVersions", "Bucket"),
    ("s3", "ListBuckets", "Name", "ListMultipartUploads", "Bucket"),
    ("logs", "DescribeLogGroups", "logGroupName", "DescribeLogStreams", "logGroupName"),
    ("kms", "ListKeys", "KeyId", "DescribeKey", "KeyId"),
    ("kms", "ListKeys", "KeyId", "ListResourceTags", "KeyId"),
]
# Their lists carry no tags, so they are asked for: a name may say nothing of its owner.
tagged = {"ListModels": "ModelArn", "ListEndpointConfigs": "EndpointConfigArn", "ListEndpoints": "EndpointArn"}


def gone(service, thing):
    if not isinstance(thing, dict):
        return False
    return thing.get("StackStatus") == "DELETE_COMPLETE" or (
        service == "cloudformation" and thing.get("Status") == "DELETED"
    )


def look(client, where, service, only=None):
    lines, asked = [], set()

    def note(operation, pages, under=""):
        if pages is None:
            return []
        asked.add(operation)
        found = [thing for thing in things(pages) if not gone(service, thing)]
        for thing in found:
            text = json.dumps(thing, default=str, sort_keys=True)
            lines.append(f"{where} {service}:{operation} {under} {text}")
        return found

    for operation in only or unasked(client):
        found = note(operation, answers(client, operation))
        for on, parent, field, operation2, member in deeper:
            if on != service or parent != operation:
                continue
            for thing in found:
                if isinstance(thing, dict) and field in thing:
                    note(operation2, answers(client, operation2, **{member: thing[field]}), thing[field])
        if operation in tagged:
            for thing in found:
                note("ListTags", answers(client, "ListTags", ResourceArn=thing[tagged[operation]]), thing[tagged[operation]])
    return lines, asked


session = boto3.Session()
making = threading.Lock()


def client_of(account, region, service, endpoint):
    keys = request["accounts"][account]
    # One session for all, because each reads the large models of the services anew; it makes one client at a time.
    with making:
        return session.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            config=config,
            aws_access_key_id=keys["access"],
            aws_secret_access_key=keys["secret"],
            aws_session_token=keys["token"],
        )


def sweep_front(account, region, implemented):
    lines, asked = [], set()
    for service in services:
        if service in worldwide and region != request["regions"][0]:
            continue
        client = client_of(account, region, service, request["endpoint"])
        only = None if implemented is None else [each for each in unasked(client) if f"{service}:{each}" in implemented]
        found, names = look(client, f"front {account} {region}", service, only)
        lines += found
        asked |= {f"{service}:{name}" for name in names}
    return lines, asked


def sweep_moto(account, region):
    lines = []
    for service in held_by_moto:
        if service in worldwide and region != request["regions"][0]:
            continue
        client = client_of(account, region, service, request["moto"])

        def as_account(model, params, **_):
            params["headers"]["x-moto-account-id"] = account

        client.meta.events.register("before-call", as_account)
        only = {"s3": ["ListBuckets"], "logs": ["DescribeLogGroups"], "kms": ["ListKeys", "ListAliases"]}
        wanted = only.get(service, ["DescribeParameters"] if service == "ssm" else ["DescribeRepositories"])
        lines += look(client, f"moto {account} {region}", service, wanted)[0]
    return lines


accounts, regions = list(request["accounts"]), request["regions"]
# The first account tells which operations anybody answers; the others are asked those only.
lines, implemented = sweep_front(accounts[0], regions[0], request.get("only"))
rest = [(account, region) for account in accounts for region in regions][1:]
with ThreadPoolExecutor(4) as pool:
    for found, _ in pool.map(lambda place: sweep_front(*place, implemented), rest):
        lines += found
    for found in pool.map(lambda place: sweep_moto(*place), [(account, region) for account in accounts for region in regions]):
        lines += found
print(json.dumps({"asked": sorted(implemented), "lines": sorted(lines)}))
