"""Describes and invokes one endpoint with boto3 and the credentials of the environment; prints status and answer as JSON.

    verify.py ENDPOINT ROW
"""

import json
import sys

import boto3

endpoint, row = sys.argv[1:]
described = boto3.client("sagemaker").describe_endpoint(EndpointName=endpoint)
answer = boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row)
print(json.dumps({"arn": described["EndpointArn"], "status": described["EndpointStatus"], "answer": float(answer["Body"].read())}))
