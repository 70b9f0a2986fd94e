"""Writes local/aws/wire/limits.json: the constraints that the SDK's runtime schemas leave out.

Required members (idempotency tokens included), lengths, ranges, patterns and enums of the requests that the local
platform serves, taken from the API models of botocore (Apache-2.0, https://github.com/boto/botocore).

    pip install botocore && python3 scripts/generate-limits.py
"""

import json
import pathlib

import botocore
from botocore.loaders import Loader

ALL = None
RESOURCES = {
    "sagemaker": [
        "Pipeline", "PipelineExecution", "ModelPackage", "ModelPackageGroup", "ModelPackageGroupPolicy", "Model",
        "EndpointConfig", "Endpoint", "EndpointWeightsAndCapacities", "ProcessingJob", "TrainingJob", "TransformJob",
        "HyperParameterTuningJob", "Tags", "Project", "MonitoringSchedule", "DataQualityJobDefinition",
        "ModelQualityJobDefinition", "ModelBiasJobDefinition", "ModelExplainabilityJobDefinition", "ModelCard",
        "PipelineVersion", "PipelineDefinitionForExecution", "PipelineExecutionStepSuccess",
        "PipelineExecutionStepFailure", "Action", "Artifact", "Context", "Association", "Experiment", "Trial",
        "TrialComponent", "Domain", "UserProfile", "Image", "ImageVersion",
    ],
    "sagemaker-runtime": ALL,
    "sts": ALL,
    "iam": [
        "Role", "RolePolicy", "Policy", "PolicyVersion", "OpenIDConnectProvider", "OpenIDConnectProviders",
        "OpenIDConnectProviderThumbprint", "RolePermissionsBoundary", "AssumeRolePolicy", "RoleDescription",
        "DefaultPolicyVersion", "PrincipalPolicy", "CustomPolicy", "ServiceLinkedRole", "InstanceProfile",
        "AccountAlias", "AccountSummary", "ContextKeysForCustomPolicy",
        "ServiceLinkedRoleDeletionStatus", "EntitiesForPolicy", "ClientIDToOpenIDConnectProvider",
        "ClientIDFromOpenIDConnectProvider", "RoleTags", "PolicyTags", "OpenIDConnectProviderTags",
    ],
    "cloudformation": [
        "Stack", "StackEvents", "StackResource", "StackResources", "StackPolicy", "StackSet", "StackSetOperation",
        "StackSetOperationResults", "StackInstance", "StackInstances", "StackDriftDetectionStatus",
        "StackResourceDrifts", "StackInstanceResourceDrifts", "StackSetAutoDeploymentTargets", "ChangeSet", "Template",
        "TemplateSummary", "Exports", "Imports", "TerminationProtection", "Type", "AccountLimits",
    ],
    "organizations": ALL,
    "kms": ["Key", "KeyPolicy", "KeyPolicies", "KeyRotation", "KeyRotationStatus", "KeyDescription", "KeyDeletion",
            "Alias", "Aliases", "Resource", "ResourceTags"],
    "ssm": ["Parameter", "Parameters", "ParametersByPath", "ParameterHistory", "TagsToResource", "TagsFromResource",
            "TagsForResource"],
    "logs": ["LogGroup", "LogStream", "LogEvents", "RetentionPolicy", "TagsForResource", "Resource"],
    "ecr": ["Repository", "Repositories", "Images", "Image", "AuthorizationToken"],
}  # fmt: skip
# Where the SDK for JavaScript names a service otherwise than botocore.
SDK_NAMES = {"logs": "cloudwatch-logs"}
VERBS = (
    "Create Describe List Delete Update Put Get Start Stop Retry Send Add Search Attach Detach Tag Untag Simulate "
    "Set Remove BatchDescribe Query"
).split()
EXTRA = {
    "sagemaker": ["Search", "BatchDescribeModelPackage", "QueryLineage", "ListPipelineExecutionSteps",
                  "ListPipelineParametersForExecution", "ListTrainingJobsForHyperParameterTuningJob",
                  "ListMonitoringExecutions", "ListModelMetadata"],
    "kms": ["EnableKey", "DisableKey", "EnableKeyRotation", "DisableKeyRotation", "ScheduleKeyDeletion",
            "CancelKeyDeletion", "Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"],
    "logs": ["FilterLogEvents"],
    "ecr": ["BatchGetImage", "BatchCheckLayerAvailability", "BatchDeleteImage"],
    "cloudformation": ["ExecuteChangeSet", "CancelUpdateStack", "ContinueUpdateRollback", "RollbackStack",
                       "SignalResource", "ValidateTemplate", "EstimateTemplateCost", "StopStackSetOperation",
                       "DetectStackDrift", "DetectStackResourceDrift", "DetectStackSetDrift",
                       "ImportStacksToStackSet", "ListExports", "ListImports", "ActivateOrganizationsAccess",
                       "DeactivateOrganizationsAccess", "DescribeOrganizationsAccess"],
    "iam": ["ListAttachedRolePolicies", "ListRolePolicies", "ListInstanceProfilesForRole"],
}  # fmt: skip


def is_served(service: str, operation: str) -> bool:
    resources = RESOURCES[service]
    if resources is ALL or operation in EXTRA.get(service, []):
        return True
    for verb in VERBS:
        if operation.startswith(verb):
            rest = operation[len(verb) :]
            if any(rest in (name, f"{name}s", f"{name[:-1]}ies") for name in resources):
                return True
    return False


def constraint(shape: dict) -> dict:
    """One shape in short form; members and elements still name every shape."""
    short: dict = {}
    for name in ("min", "max", "pattern", "enum", "sensitive"):
        if name in shape:
            short[name] = shape[name]
    kind = shape["type"]
    if kind == "structure":
        short["members"] = {name: member["shape"] for name, member in shape.get("members", {}).items()}
        if shape.get("required"):
            short["required"] = shape["required"]
    elif kind == "list":
        short["element"] = shape["member"]["shape"]
    elif kind == "map":
        short["key"] = shape["key"]["shape"]
        short["value"] = shape["value"]["shape"]
    return short


def prune(shapes: dict[str, dict], roots: set[str]) -> dict[str, dict]:
    """Leaves out what constrains nothing, and what no request reaches."""
    constrained = {
        name for name, shape in shapes.items()
        if any(key in shape for key in ("min", "max", "pattern", "enum", "required"))
    }  # fmt: skip
    while True:
        found = {
            name for name, shape in shapes.items()
            if name not in constrained
            and (
                any(target in constrained for target in shape.get("members", {}).values())
                or any(shape.get(part) in constrained for part in ("element", "key", "value"))
            )
        }  # fmt: skip
        if not found:
            break
        constrained |= found
    reached: dict[str, dict] = {}
    waiting = sorted(roots & constrained)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        shape = dict(shapes[name])
        if "members" in shape:
            shape["members"] = {key: target for key, target in shape["members"].items() if target in constrained}
        for part in ("element", "key", "value"):
            if shape.get(part) not in constrained:
                shape.pop(part, None)
        reached[name] = shape
        waiting += [*shape.get("members", {}).values(), *(shape[part] for part in ("element", "key", "value") if part in shape)]
    return dict(sorted(reached.items()))


def main() -> None:
    loader = Loader()
    table: dict = {"source": f"botocore {botocore.__version__} (Apache-2.0)", "services": {}}
    for service in RESOURCES:
        model = loader.load_service_model(service, "service-2")
        operations = {
            name: operation["input"]["shape"]
            for name, operation in sorted(model["operations"].items())
            if "input" in operation and is_served(service, name)
        }
        shapes = prune({name: constraint(shape) for name, shape in model["shapes"].items()}, set(operations.values()))
        operations = {name: shape for name, shape in operations.items() if shape in shapes}
        table["services"][SDK_NAMES.get(service, service)] = {"operations": operations, "shapes": shapes}
    target = pathlib.Path(__file__).parent.parent / "local/aws/wire/limits.json"
    lines = ",\n".join(
        f"{json.dumps(service)}:{json.dumps(content, separators=(',', ':'))}"
        for service, content in table["services"].items()
    )
    target.write_text(f'{{"source":{json.dumps(table["source"])},"services":{{\n{lines}\n}}}}\n')
    for service, content in table["services"].items():
        print(service, len(content["operations"]), "operations,", len(content["shapes"]), "shapes")
    print(target.stat().st_size, "bytes")


main()
