"""Describes ARNs with boto3, as whoever the credentials of the environment are; prints the answers as one JSON list.

    describe.py ARN...
"""

import json
import sys

import boto3

sagemaker, cloudformation = boto3.client("sagemaker"), boto3.client("cloudformation")


def describe(arn):
    kind = arn.split(":", 5)[5]
    if kind.startswith("stack/"):
        return cloudformation.describe_stacks(StackName=arn)["Stacks"][0]
    if "/execution/" in kind:
        return sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    if kind.startswith("pipeline/"):
        return sagemaker.describe_pipeline(PipelineName=arn)
    return sagemaker.describe_model_package(ModelPackageName=arn)


print(json.dumps([describe(arn) for arn in sys.argv[1:]], default=str))
