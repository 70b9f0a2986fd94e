"""Writes src/pipelines/image-registries.generated.json: repository -> region -> registry host of AWS's own images.

The source is the SageMaker Python SDK's bundled tables (Apache-2.0) at the version of local/python/locks/runtime.txt.
Run with the Python of the local runtime:  .sagemaker-mlops/python/runtime-*/bin/python scripts/generate-image-registries.py [--print]
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
OUTPUT = Path(__file__).resolve().parent.parent / "src" / "pipelines" / "image-registries.generated.json"
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
    ordered = {name: dict(sorted(result[name].items())) for name in sorted(result)}
    text = json.dumps(ordered, indent=1) + "\n"
    if "--print" in sys.argv[1:]:
        sys.stdout.write(text)
        return
    OUTPUT.write_text(text)
    print(f"{OUTPUT}: {', '.join(f'{name} in {len(regions)} regions' for name, regions in ordered.items())}")


if __name__ == "__main__":
    main()
