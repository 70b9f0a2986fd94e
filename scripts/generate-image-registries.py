"""Writes where AWS's own images are: src/pipelines/image-registries.generated.json (repository -> region -> registry host)
for run-pipeline, and local/runner/image-registries.generated.json (repository -> region -> account) for the images that
the local platform stands in for. Two files, because src/ and local/ share nothing.

The source is the SageMaker Python SDK's bundled tables (Apache-2.0) at the version of local/python/locks/runtime.txt.
Run with the Python of the local runtime:  .sagemaker-mlops/python/runtime-*/bin/python scripts/generate-image-registries.py [--check]
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

import sagemaker.core
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

TABLES = Path(sagemaker.core.__file__).parent / "image_uri_config"
ROOT = Path(__file__).resolve().parent.parent
HOSTS = ROOT / "src" / "pipelines" / "image-registries.generated.json"
ACCOUNTS = ROOT / "local" / "runner" / "image-registries.generated.json"
STAND_INS = ("sagemaker-scikit-learn", "sagemaker-xgboost")
WANTED = {
    "xgboost.json": ["sagemaker-xgboost"],
    "sklearn.json": ["sagemaker-scikit-learn"],
    "pytorch.json": ["pytorch-training", "pytorch-inference"],
    "tensorflow.json": ["tensorflow-training", "tensorflow-inference"],
}


def versions(node):
    """Every object of a table that names a repository; frameworks nest them by scope (training, inference)."""
    if isinstance(node, dict):
        if "repository" in node and "registries" in node:
            yield node["repository"], node["registries"]
        for value in node.values():
            yield from versions(value)


def main():
    resolver = EndpointResolver(create_loader().load_data("endpoints"))

    def host(account, region):
        suffix = resolver.construct_endpoint("ecr", region)["hostname"].partition(f"{region}.")[2]
        return f"{account}.dkr.ecr.{region}.{suffix}"

    result = {}
    for file, repositories in WANTED.items():
        for repository, registries in versions(json.loads((TABLES / file).read_text())):
            if repository in repositories:
                # Newer versions come later in a table and are in more regions.
                known = result.setdefault(repository, {})
                known.update({region: host(account, region) for region, account in registries.items()})
    hosts = {name: dict(sorted(result[name].items())) for name in sorted(result)}
    accounts = {name: {region: text.split(".")[0] for region, text in hosts[name].items()} for name in STAND_INS}
    for path, table in ((HOSTS, hosts), (ACCOUNTS, accounts)):
        text = json.dumps(table, indent=1) + "\n"
        if "--check" in sys.argv[1:]:
            if path.read_text() != text:
                raise SystemExit(f"{path} is not what this script writes: run it without --check")
        else:
            path.write_text(text)
            print(f"{path}: {', '.join(f'{name} in {len(regions)} regions' for name, regions in table.items())}")


if __name__ == "__main__":
    main()
