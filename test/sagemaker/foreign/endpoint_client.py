"""Deploys a registered package to an endpoint, invokes it and removes everything, with plain boto3 and its waiters."""

import json
import os
import sys

import boto3

package, model_role = sys.argv[1:3]
sagemaker = boto3.client("sagemaker")
runtime = boto3.client("sagemaker-runtime")

sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
sagemaker.create_model(
    ModelName="boto", PrimaryContainer={"ModelPackageName": package}, ExecutionRoleArn=model_role
)
sagemaker.create_endpoint_config(
    EndpointConfigName="boto",
    ProductionVariants=[
        {"VariantName": "AllTraffic", "ModelName": "boto", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    ],
)
sagemaker.create_endpoint(EndpointName="boto", EndpointConfigName="boto")
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="boto", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
described = sagemaker.describe_endpoint(EndpointName="boto")

rows = "0.2,0.5\n0.8,0.5\n"
answer = runtime.invoke_endpoint(EndpointName="boto", ContentType="text/csv", Accept="text/csv", Body=rows)
body = answer["Body"].read().decode()
try:
    runtime.invoke_endpoint(EndpointName="boto", ContentType="image/png", Body=b"\x00\x01")
    failure = None
except runtime.exceptions.ModelError as error:
    failure = {
        "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
        "original": error.response["OriginalStatusCode"],
        "message": error.response["OriginalMessage"],
    }
sagemaker.delete_endpoint(EndpointName="boto")
sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="boto", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
sagemaker.delete_endpoint_config(EndpointConfigName="boto")
sagemaker.delete_model(ModelName="boto")

print(
    json.dumps(
        {
            "described": described,
            "body": body,
            "type": answer["ContentType"],
            "variant": answer["InvokedProductionVariant"],
            "failure": failure,
            "left": sagemaker.list_endpoints()["Endpoints"] + sagemaker.list_models()["Models"],
        },
        default=str,
    ),
    file=open(os.environ["RESULT"], "w"),
)
