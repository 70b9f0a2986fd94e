"""What boto3 sees of a stack set: its newest operation, that operation's results, and every instance, as JSON.

    stack_set.py NAME
"""

import json
import sys

import boto3

name = sys.argv[1]
cloudformation = boto3.client("cloudformation")


def pages(operation, **arguments):
    for page in cloudformation.get_paginator(operation).paginate(StackSetName=name, **arguments):
        yield from page["Summaries"]


newest = next(iter(pages("list_stack_set_operations")))
described = cloudformation.describe_stack_set_operation(StackSetName=name, OperationId=newest["OperationId"])
print(
    json.dumps(
        {
            "operation": described["StackSetOperation"]["Status"],
            "id": newest["OperationId"],
            "results": {
                one["Account"]: one["Status"]
                for one in pages("list_stack_set_operation_results", OperationId=newest["OperationId"])
            },
            "instances": {
                one["Account"]: [one["Status"], one["StackInstanceStatus"]["DetailedStatus"], one.get("StackId", "")]
                for one in pages("list_stack_instances")
            },
        }
    )
)
