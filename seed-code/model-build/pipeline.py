"""The project's SageMaker pipeline: preprocess, train, evaluate, then register the model or fail.

    python pipeline.py > pipeline.json

writes the definition that the platform runs. Nothing of an account, a region or a bucket gets into it: whatever differs
between them is a pipeline parameter, and the role is a placeholder that `run-pipeline` replaces (see build.yml).
Compiling calls no AWS service and needs no credentials.
"""

import json
import logging
import os
import sys
import warnings
from types import SimpleNamespace

# The SDK wants a region as soon as it is imported; no value of it reaches the definition.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
warnings.filterwarnings("ignore", module="sagemaker")

import boto3
from botocore.awsrequest import AWSResponse
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.model_registry import create_model_package_from_containers, get_model_package_args
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    OutputDataConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    StoppingCondition,
)
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

# The SDK tells at length which settings it looked for and what pipelines do differently from single jobs.
for name in ("sagemaker", "sagemaker.config", "sagemaker.core", "sagemaker.mlops"):
    logging.getLogger(name).setLevel(logging.ERROR)

# A placeholder: the definition is the same in every account.
JOB_ROLE = "arn:aws:iam::000000000000:role/sagemaker-mlops-job"

# Where the jobs find their files. SageMaker wants all of them below /opt/ml/processing.
CODE = "/opt/ml/processing/code"
INPUT = "/opt/ml/processing/input"
MODEL = "/opt/ml/processing/model"

# Seconds. Ample for this data; without a limit of its own a hanging job would cost a whole day.
MAX_RUNTIME = 12 * 3600


def offline_session():
    """A session in which no call leaves the process: each is answered with AccessDenied, which the SDK tolerates here."""

    class Denied:
        def stream(self, **_):
            yield b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>compiling</Message></Error></ErrorResponse>"

    def deny(request, **_):
        return AWSResponse(request.url, 403, {"Content-Type": "text/xml"}, Denied())

    session = boto3.Session(aws_access_key_id="none", aws_secret_access_key="none")
    session.events.register("before-send", deny)
    return PipelineSession(
        boto_session=session,
        default_bucket="not-used",
        sagemaker_config={
            "SchemaVersion": "1.0",
            "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
        },
    )


def build_pipeline():
    """Puts the steps together; the function to change when the project grows."""
    session = offline_session()

    # run-pipeline fills these in: the uploads of build.yml, and what the project's account and region say.
    code_uri = ParameterString("CodeUri")
    input_data_url = ParameterString("InputDataUrl")
    output_uri = ParameterString("OutputUri")
    image_uri = ParameterString("ImageUri")
    kms_key = ParameterString("KmsKeyArn")
    group_name = ParameterString("ModelPackageGroupName")
    commit = ParameterString("Commit", default_value="unknown")
    run_url = ParameterString("RunUrl", default_value="unknown")
    # These have defaults; build.yml may set others.
    input_instance_type = ParameterString("InputInstanceType", default_value="ml.m5.xlarge")
    training_instance_type = ParameterString("TrainingInstanceType", default_value="ml.m5.xlarge")
    approval_status = ParameterString("ModelApprovalStatus", default_value="PendingManualApproval")
    num_round = ParameterInteger("NumRound", default_value=50)
    sanity_limit = ParameterFloat("SanityLimit", default_value=20.0)

    def output_of(area, *folders):
        """Every execution writes below a prefix of its own, so that none overwrites another's files."""
        return Join(on="/", values=[output_uri, area, ExecutionVariables.PIPELINE_EXECUTION_ID, *folders])

    def below(uri, name):
        return Join(on="/", values=[uri, name])

    def processor(script):
        return Processor(
            role=JOB_ROLE,
            image_uri=image_uri,
            entrypoint=["python3", f"{CODE}/{script}"],
            instance_count=1,
            instance_type=input_instance_type,
            volume_kms_key=kms_key,
            output_kms_key=kms_key,
            max_runtime_in_seconds=MAX_RUNTIME,
            sagemaker_session=session,
        )

    def file_input(name, uri, path):
        source = ProcessingS3Input(s3_uri=uri, local_path=path, s3_data_type="S3Prefix", s3_input_mode="File")
        return ProcessingInput(input_name=name, s3_input=source)

    def file_output(name, uri, path):
        target = ProcessingS3Output(s3_uri=uri, local_path=path, s3_upload_mode="EndOfJob")
        return ProcessingOutput(output_name=name, s3_output=target)

    cache = CacheConfig(enable_caching=True, expire_after="P30D")

    preprocess = ProcessingStep(
        name="Preprocess",
        cache_config=cache,
        step_args=processor("preprocess.py").run(
            inputs=[file_input("code", code_uri, CODE), file_input("data", input_data_url, INPUT)],
            outputs=[
                file_output(part, output_of("evaluation", "dataset", part), f"/opt/ml/processing/{part}")
                for part in ("train", "validation", "test")
            ],
        ),
    )

    def dataset(part):
        return preprocess.properties.ProcessingOutputConfig.Outputs[part].S3Output.S3Uri

    trainer = ModelTrainer(
        training_image=image_uri,
        role=JOB_ROLE,
        base_job_name="train",
        compute=Compute(
            instance_type=training_instance_type, instance_count=1, volume_size_in_gb=30, volume_kms_key_id=kms_key
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=MAX_RUNTIME),
        output_data_config=OutputDataConfig(s3_output_path=output_of("models"), kms_key_id=kms_key),
        hyperparameters={
            "objective": "reg:squarederror",
            # Hyperparameters are strings: joining with nothing makes one of the integer.
            "num_round": Join(on="", values=[num_round]),
            "max_depth": "5",
            "eta": "0.2",
            "gamma": "4",
            "min_child_weight": "6",
            "subsample": "0.7",
            "seed": "0",
        },
        sagemaker_session=session,
    )
    train = TrainingStep(
        name="Train",
        cache_config=cache,
        step_args=trainer.train(
            input_data_config=[
                InputData(channel_name=part, data_source=dataset(part), content_type="text/csv")
                for part in ("train", "validation")
            ],
        ),
    )
    model_data = train.properties.ModelArtifacts.S3ModelArtifacts

    report = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
    evaluate = ProcessingStep(
        name="Evaluate",
        cache_config=cache,
        property_files=[report],
        step_args=processor("evaluate.py").run(
            inputs=[
                file_input("code", code_uri, CODE),
                file_input("model", model_data, MODEL),
                file_input("test", dataset("test"), "/opt/ml/processing/test"),
            ],
            outputs=[file_output("evaluation", output_of("evaluation", "report"), "/opt/ml/processing/evaluation")],
        ),
    )
    # The step's own property, not output_of(): a step taken from the cache has written below an earlier execution.
    evaluation_uri = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri

    session.init_model_step_arguments(SimpleNamespace(sagemaker_session=session))
    create_model_package_from_containers(
        session,
        **get_model_package_args(
            container_def_list=[{"Image": image_uri, "ModelDataUrl": model_data}],
            model_package_group_name=group_name,
            approval_status=approval_status,
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large", "ml.m5.xlarge", "ml.c5.large", "ml.t2.medium"],
            transform_instances=["ml.m5.large", "ml.m5.xlarge"],
            model_metrics=ModelMetrics(
                model_statistics=MetricsSource(
                    content_type="application/json", s3_uri=below(evaluation_uri, "evaluation.json")
                )
            ),
            customer_metadata_properties={
                "commit": commit,
                "run-url": run_url,
                "pipeline-execution": ExecutionVariables.PIPELINE_EXECUTION_ID,
            },
        ),
    )
    register = ModelStep(name="Register", step_args=session.context)

    # Sanity only: a model this bad means broken code or data. How good is good enough is decided by gate.yml.
    mse = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")
    not_sane = FailStep(
        name="NotSane",
        error_message=Join(
            on="", values=["The mean squared error ", mse, " is above the sanity limit ", sanity_limit, "."]
        ),
    )
    check = ConditionStep(
        name="CheckSanity",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=sanity_limit)],
        if_steps=[register],
        else_steps=[not_sane],
    )

    return Pipeline(
        name="model-build",
        pipeline_experiment_config=None,
        parameters=[
            code_uri,
            input_data_url,
            output_uri,
            image_uri,
            kms_key,
            group_name,
            commit,
            run_url,
            input_instance_type,
            training_instance_type,
            approval_status,
            num_round,
            sanity_limit,
        ],
        steps=[preprocess, train, evaluate, check],
        sagemaker_session=session,
    )


if __name__ == "__main__":
    json.dump(json.loads(build_pipeline().definition()), sys.stdout, indent=2)
    sys.stdout.write("\n")
