"""Describes everything that an execution left behind with plain boto3; prints it as JSON."""

import json
import os
import sys

import boto3

execution, package = sys.argv[1:3]
sagemaker = boto3.client("sagemaker")
steps = [
    step
    for page in sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=execution, PaginationConfig={"PageSize": 2}
    )
    for step in page["PipelineExecutionSteps"]
]
by_name = {step["StepName"]: step for step in steps}
job = by_name["Train"]["Metadata"]["TrainingJob"]["Arn"].split("/")[-1]
processing = by_name["Prepare"]["Metadata"]["ProcessingJob"]["Arn"].split("/")[-1]
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job)
sagemaker.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName=processing)


def code_of(call, **arguments):
    try:
        call(**arguments)
    except sagemaker.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


print(
    json.dumps(
        {
            "order": [step["StepName"] for step in steps],
            "training": sagemaker.describe_training_job(TrainingJobName=job),
            "processing": sagemaker.describe_processing_job(ProcessingJobName=processing),
            "package": sagemaker.describe_model_package(ModelPackageName=package),
            "tags": sagemaker.list_tags(ResourceArn=execution.split("/execution/")[0])["Tags"],
            "versions": sagemaker.list_pipeline_versions(PipelineName="sdk-pipeline")["PipelineVersionSummaries"],
            "missing": {
                "pipeline": code_of(sagemaker.describe_pipeline, PipelineName="none"),
                "job": code_of(sagemaker.describe_training_job, TrainingJobName="none"),
                "endpoint": code_of(sagemaker.describe_endpoint, EndpointName="none"),
                "package": code_of(sagemaker.describe_model_package, ModelPackageName=package[:-1] + "999"),
                "search": code_of(sagemaker.search, Resource="ModelPackage"),
            },
        },
        default=str,
    ),
    file=open(os.environ["RESULT"], "w"),
)
