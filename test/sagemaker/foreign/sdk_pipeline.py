"""A pipeline written, started and awaited with the SageMaker Python SDK; prints what the service answered as JSON."""

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

warnings.filterwarnings("ignore")

import boto3
from sagemaker.core.model_registry import create_model_package_from_containers, get_model_package_args
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import OutputDataConfig, ProcessingOutput, ProcessingS3Output, StoppingCondition
from sagemaker.core.workflow.conditions import ConditionGreaterThan
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

BUCKET, PIPELINE_ROLE, JOB_ROLE, IMAGE = sys.argv[1:5]

SCRIPT = """
import json, random
from pathlib import Path
random.seed(1)
out = Path("/opt/ml/processing/out")
out.mkdir(parents=True, exist_ok=True)
rows = [(x := random.random(), 3 * x + random.random() / 10) for _ in range(200)]
(out / "train.csv").write_text("".join(f"{y},{x},{random.random()}\\n" for x, y in rows))
(out / "report.json").write_text(json.dumps({"rows": [{"count": len(rows)}]}))
"""

session = PipelineSession(
    boto_session=boto3.Session(),
    default_bucket=BUCKET,
    sagemaker_config={"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}},
)
least = ParameterInteger("Least", default_value=100)
eta = ParameterFloat("Eta", default_value=0.3)
destination = Join(on="/", values=["s3:/", BUCKET, "out", ExecutionVariables.PIPELINE_EXECUTION_ID])

script = Path(tempfile.mkdtemp()) / "prepare.py"
script.write_text(SCRIPT)
report = PropertyFile(name="Report", output_name="out", path="report.json")
prepare = ProcessingStep(
    name="Prepare",
    property_files=[report],
    step_args=ScriptProcessor(
        role=JOB_ROLE,
        image_uri=IMAGE,
        command=["python3"],
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    ).run(
        code=str(script),
        outputs=[
            ProcessingOutput(
                output_name="out",
                s3_output=ProcessingS3Output(
                    s3_uri=destination, local_path="/opt/ml/processing/out", s3_upload_mode="EndOfJob"
                ),
            )
        ],
    ),
)
rows = prepare.properties.ProcessingOutputConfig.Outputs["out"].S3Output.S3Uri
train = TrainingStep(
    name="Train",
    step_args=ModelTrainer(
        training_image=IMAGE,
        role=JOB_ROLE,
        base_job_name="train",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=30),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        output_data_config=OutputDataConfig(s3_output_path=destination),
        hyperparameters={
            "objective": "reg:squarederror",
            "num_round": "5",
            "eta": Join(on="", values=[eta]),
        },
        sagemaker_session=session,
    ).train(
        input_data_config=[
            InputData(channel_name="train", data_source=Join(on="/", values=[rows, "train.csv"]), content_type="text/csv")
        ]
    ),
)
session.init_model_step_arguments(SimpleNamespace(sagemaker_session=session))
create_model_package_from_containers(
    session,
    **get_model_package_args(
        container_def_list=[{"Image": IMAGE, "ModelDataUrl": train.properties.ModelArtifacts.S3ModelArtifacts}],
        model_package_group_name="sdk-group",
        approval_status="PendingManualApproval",
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
    ),
)
register = ModelStep(name="Register", step_args=session.context)
count = JsonGet(step_name="Prepare", property_file=report, json_path="rows[0].count")
check = ConditionStep(
    name="Enough",
    conditions=[ConditionGreaterThan(left=count, right=least)],
    if_steps=[register],
    else_steps=[FailStep(name="TooFew", error_message=Join(on=" ", values=["only", count, "rows of", least]))],
)
pipeline = Pipeline(
    name="sdk-pipeline",
    parameters=[least, eta],
    steps=[prepare, train, check],
    sagemaker_session=session,
)

created = pipeline.upsert(role_arn=PIPELINE_ROLE, tags=[{"Key": "made-by", "Value": "sdk"}])
updated = pipeline.upsert(role_arn=PIPELINE_ROLE, description="second", tags=[{"Key": "made-by", "Value": "sdk-2"}])


def run(**parameters):
    execution = pipeline.start(parameters=parameters)
    try:
        execution.wait(delay=1)
    except Exception as error:
        failure = str(error)
    else:
        failure = None
    described = execution.describe()
    return {
        "arn": execution.arn,
        "status": described["PipelineExecutionStatus"],
        "failure": failure,
        "steps": {step["StepName"]: step for step in execution.list_steps()},
        "parameters": execution.list_parameters()["PipelineParameters"],
    }


print(
    json.dumps(
        {
            "created": created["PipelineArn"],
            "updated": updated["PipelineArn"],
            "description": pipeline.describe()["PipelineDescription"],
            "good": run(Eta=0.5),
            "bad": run(Least=1000),
        },
        default=str,
    ),
    file=open(os.environ["RESULT"], "w"),
)
