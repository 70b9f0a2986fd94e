"""What somebody else does with the schedules of an endpoint, and sees of them: plain boto3, one JSON answer."""

import json
import os
import sys

import boto3

order = json.loads(sys.argv[1])
sagemaker = boto3.client("sagemaker")


def definition(wish):
    return {
        "MonitoringInputs": [
            {"EndpointInput": {"EndpointName": wish["endpoint"], "LocalPath": "/opt/ml/processing/input"}}
        ],
        "MonitoringOutputConfig": {
            "MonitoringOutputs": [
                {"S3Output": {"S3Uri": f"s3://{wish['bucket']}/reports", "LocalPath": "/opt/ml/processing/output"}}
            ]
        },
        "MonitoringResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        },
        "MonitoringAppSpecification": {"ImageUri": wish["image"], "ContainerEntrypoint": ["true"]},
        "RoleArn": wish["role"],
    }


for wish in order.get("create", []):
    sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=wish["name"],
        MonitoringScheduleConfig={"ScheduleConfig": wish["when"], "MonitoringJobDefinition": definition(wish)},
        Tags=[{"Key": key, "Value": value} for key, value in wish["tags"].items()],
    )
for name in order.get("stop", []):
    sagemaker.stop_monitoring_schedule(MonitoringScheduleName=name)
for name in order.get("delete", []):
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=name)
schedules = {
    each["MonitoringScheduleName"]: each["MonitoringScheduleStatus"]
    for page in sagemaker.get_paginator("list_monitoring_schedules").paginate(PaginationConfig={"PageSize": 1})
    for each in page["MonitoringScheduleSummaries"]
}
executions = {
    each["MonitoringScheduleName"]: each["MonitoringExecutionStatus"]
    for page in sagemaker.get_paginator("list_monitoring_executions").paginate()
    for each in page["MonitoringExecutionSummaries"]
}
print(json.dumps({"schedules": schedules, "executions": executions}), file=open(os.environ["RESULT"], "w"))
