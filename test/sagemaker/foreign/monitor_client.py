"""Watches an endpoint with the SageMaker Python SDK's model monitors and boto3; prints what the service answered as JSON."""

import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import boto3
from botocore.exceptions import ClientError
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.model_monitor import (
    CronExpressionGenerator,
    DefaultModelMonitor,
    EndpointInput,
    ModelMonitor,
    MonitoringOutput,
)

endpoint, bucket, role, image = sys.argv[1:5]
sagemaker = boto3.client("sagemaker")
runtime = boto3.client("sagemaker-runtime")
s3 = boto3.client("s3")
session = Session(default_bucket=bucket)
out = {}


def refused(call):
    try:
        call()
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return None


def until(look, done, what):
    for _ in range(300):
        found = look()
        if done(found):
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{what}: {found}")


for row in ["1,2", "3,4", "oops,6"]:
    runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=row)
out["captured"] = until(
    lambda: s3.list_objects_v2(Bucket=bucket, Prefix=f"capture/{endpoint}/AllTraffic/")["KeyCount"],
    lambda count: count == 3,
    "captured data",
)

# An analyzer of one's own really runs; where AWS has it in the image, its entrypoint fetches it here.
analyzer = """
import glob, json, os
rows = [json.loads(line) for name in glob.glob(os.environ['dataset_source'] + '/**/*.jsonl', recursive=True) for line in open(name)]
inputs = [row['captureData']['endpointInput']['data'] for row in rows]
wrong = [row for row in inputs if not all(part.isdigit() for part in row.split(','))]
violations = [{'feature_name': '_c0', 'constraint_check_type': 'data_type_check', 'description': 'no number: ' + row} for row in wrong]
with open(os.environ['output_path'] + '/constraint_violations.json', 'w') as file:
    json.dump({'violations': violations, 'rows': len(rows), 'schedule': os.environ['sagemaker_monitoring_schedule_name']}, file)
with open('/opt/ml/output/message', 'w') as file:
    file.write(f'CompletedWithViolations: {len(violations)} violations' if violations else 'Completed')
"""
s3.put_object(Bucket=bucket, Key="analyzer.py", Body=analyzer.encode())
fetch = f"import boto3; exec(boto3.client('s3').get_object(Bucket='{bucket}', Key='analyzer.py')['Body'].read())"
own = ModelMonitor(
    role=role,
    image_uri=image,
    entrypoint=["python3", "-c", fetch],
    max_runtime_in_seconds=600,
    sagemaker_session=session,
    env={"mode": "strict"},
    tags=[{"Key": "team", "Value": "ml"}],
)
watched = EndpointInput(endpoint_name=endpoint, destination="/opt/ml/processing/input/endpoint")
now = {
    "schedule_cron_expression": CronExpressionGenerator.now(),
    "data_analysis_start_time": "-PT1H",
    "data_analysis_end_time": "-PT0H",
}
own.create_monitoring_schedule(
    endpoint_input=watched,
    output=MonitoringOutput(source="/opt/ml/processing/output", destination=f"s3://{bucket}/reports"),
    monitor_schedule_name="own",
    **now,
)
until(
    lambda: sagemaker.list_monitoring_executions(MonitoringScheduleName="own")["MonitoringExecutionSummaries"],
    lambda found: found and found[0]["MonitoringExecutionStatus"] not in ("Pending", "InProgress"),
    "the execution of own",
)
execution = own.list_executions()[-1]
out["execution"] = sagemaker.list_monitoring_executions(MonitoringScheduleName="own")["MonitoringExecutionSummaries"]
out["job"] = execution.describe()
out["violations"] = own.latest_monitoring_constraint_violations().body_dict
out["schedule"] = own.describe_schedule()
out["tags"] = sagemaker.list_tags(ResourceArn=out["schedule"]["MonitoringScheduleArn"])["Tags"]
out["watched"] = refused(lambda: sagemaker.delete_endpoint(EndpointName=endpoint))
own.stop_monitoring_schedule()
own._wait_for_schedule_changes_to_apply()
out["stopped"] = own.describe_schedule()["MonitoringScheduleStatus"]
own.start_monitoring_schedule()
own._wait_for_schedule_changes_to_apply()
attached = ModelMonitor.attach("own", sagemaker_session=session)
out["attached"] = [attached.image_uri, attached.entrypoint[0], attached.instance_type]
own.delete_monitoring_schedule()

# AWS's own analyzer, by a job definition: nothing here stands in for it.
default = DefaultModelMonitor(role=role, max_runtime_in_seconds=1800, sagemaker_session=session)
default.create_monitoring_schedule(
    endpoint_input=endpoint, output_s3_uri=f"s3://{bucket}/reports", monitor_schedule_name="default", **now
)
out["analyzer"] = until(
    lambda: sagemaker.list_monitoring_executions(MonitoringScheduleName="default")["MonitoringExecutionSummaries"],
    lambda found: found and found[0]["MonitoringExecutionStatus"] not in ("Pending", "InProgress"),
    "the execution of default",
)
out["locked"] = refused(
    lambda: sagemaker.delete_data_quality_job_definition(JobDefinitionName=default.job_definition_name)
)
default.update_monitoring_schedule(schedule_cron_expression=CronExpressionGenerator.daily_every_x_hours(6, 2))
out["updated"] = default.describe_schedule()["MonitoringScheduleConfig"]
until(
    lambda: sagemaker.describe_monitoring_schedule(MonitoringScheduleName="default")["MonitoringScheduleStatus"],
    lambda status: status == "Scheduled",
    "default",
)
out["schedules"] = [
    each["MonitoringScheduleName"]
    for page in sagemaker.get_paginator("list_monitoring_schedules").paginate(
        EndpointName=endpoint, PaginationConfig={"PageSize": 1}
    )
    for each in page["MonitoringScheduleSummaries"]
]
default.delete_monitoring_schedule()
out["missing"] = refused(lambda: sagemaker.describe_monitoring_schedule(MonitoringScheduleName="default"))
out["left"] = (
    sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"]
    + sagemaker.list_data_quality_job_definitions()["JobDefinitionSummaries"]
)
out["unsupported"] = refused(
    lambda: sagemaker.list_monitoring_alerts(MonitoringScheduleName="own"),
)
sagemaker.delete_endpoint(EndpointName=endpoint)
sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

print(json.dumps(out, default=str), file=open(os.environ["RESULT"], "w"))
