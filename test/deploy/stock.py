"""Stock xgboost on the archive of a package: its error on the test set, and beside what an endpoint answers to perturbed rows.

    stock.py MODEL_URI TEST_URI ENDPOINT SEED

The test set is the one of preprocessing, label first. Keys of the registry's account are in the environment, those of the
endpoint's account are TARGET_ACCESS_KEY_ID, TARGET_SECRET_ACCESS_KEY and TARGET_SESSION_TOKEN.
"""

import io
import json
import os
import sys
import tarfile

import boto3
import numpy as np
import xgboost

model_uri, test_uri, endpoint, seed = sys.argv[1:]


def read(uri):
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


with tarfile.open(fileobj=io.BytesIO(read(model_uri))) as archive:
    booster = xgboost.Booster()
    booster.load_model(bytearray(archive.extractfile("xgboost-model").read()))
test = np.loadtxt(io.StringIO(read(test_uri).decode()), delimiter=",")
error = booster.predict(xgboost.DMatrix(test[:, 1:])) - test[:, 0]
rows = test[:50, 1:]
rows = rows * np.random.default_rng(int(seed)).uniform(0.8, 1.2, rows.shape)
text = "\n".join(",".join(repr(float(value)) for value in row) for row in rows)
expected = booster.predict(xgboost.DMatrix(np.array([line.split(",") for line in text.split("\n")], dtype=float)))

runtime = boto3.client(
    "sagemaker-runtime",
    aws_access_key_id=os.environ["TARGET_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["TARGET_SECRET_ACCESS_KEY"],
    aws_session_token=os.environ["TARGET_SESSION_TOKEN"],
)
answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=text)
found = np.array(answer["Body"].read().decode().replace("\n", ",").strip(",").split(","), dtype=float)
print(
    json.dumps(
        {
            "mse": float(np.mean(error**2)),
            "tested": len(error),
            "rows": len(found),
            "largest": float(np.abs(found - expected).max()),
            "spread": float(expected.std()),
        }
    )
)
