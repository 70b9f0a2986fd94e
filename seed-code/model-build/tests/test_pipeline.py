"""The committed definition is what pipeline.py compiles to, anywhere, and holds nothing of one account or region."""

import json
import os
import re
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PLACEHOLDER = "arn:aws:iam::000000000000:role/sagemaker-mlops-job"


def compiled(**environment):
    result = subprocess.run(
        [sys.executable, str(PROJECT / "pipeline.py")],
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
    )
    return result.stdout


class Definition(unittest.TestCase):
    def setUp(self):
        self.text = (PROJECT / "pipeline.json").read_text()
        self.definition = json.loads(self.text)

    def test_it_is_what_pipeline_py_compiles_to_in_any_account_and_region(self):
        environments = (
            {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAONE", "AWS_SECRET_ACCESS_KEY": "one"},
            {"AWS_DEFAULT_REGION": "cn-north-1", "AWS_ACCESS_KEY_ID": "AKIATWO", "AWS_SECRET_ACCESS_KEY": "two"},
        )
        with ThreadPoolExecutor() as pool:
            for environment, text in zip(environments, pool.map(lambda one: compiled(**one), environments)):
                self.assertEqual(text.decode(), self.text, environment["AWS_DEFAULT_REGION"])

    def test_it_holds_no_account_region_bucket_or_registry(self):
        rest = self.text.replace(PLACEHOLDER, "")
        for pattern in (r"\d{12}", r"\b[a-z]{2}(-[a-z]+)+-\d\b", r"s3://", r"amazonaws", r"arn:"):
            self.assertIsNone(re.search(pattern, rest), pattern)

    def jobs(self):
        return [step for step in self.definition["Steps"] if step["Type"] in ("Processing", "Training")]

    def test_every_job_writes_with_the_projects_key_below_its_execution(self):
        key = {"Get": "Parameters.KmsKeyArn"}
        for step in self.jobs():
            arguments = step["Arguments"]
            output = arguments.get("ProcessingOutputConfig") or arguments["OutputDataConfig"]
            resources = arguments.get("ResourceConfig") or arguments["ProcessingResources"]["ClusterConfig"]
            self.assertEqual(output["KmsKeyId"], key, step["Name"])
            self.assertEqual(resources["VolumeKmsKeyId"], key, step["Name"])
            locations = [one["S3Output"]["S3Uri"] for one in output.get("Outputs", [])] or [output["S3OutputPath"]]
            for location in locations:
                self.assertIn({"Get": "Execution.PipelineExecutionId"}, location["Std:Join"]["Values"], step["Name"])

    def test_every_job_has_a_time_limit_and_the_placeholder_role(self):
        for step in self.jobs():
            self.assertIn("MaxRuntimeInSeconds", step["Arguments"]["StoppingCondition"], step["Name"])
            self.assertEqual(step["Arguments"]["RoleArn"], PLACEHOLDER, step["Name"])

    def test_a_model_is_registered_for_approval_and_a_bad_one_fails(self):
        defaults = {one["Name"]: one.get("DefaultValue") for one in self.definition["Parameters"]}
        self.assertEqual(defaults["ModelApprovalStatus"], "PendingManualApproval")
        check = next(step for step in self.definition["Steps"] if step["Type"] == "Condition")
        self.assertEqual([step["Type"] for step in check["Arguments"]["IfSteps"]], ["RegisterModel"])
        self.assertEqual([step["Type"] for step in check["Arguments"]["ElseSteps"]], ["Fail"])


if __name__ == "__main__":
    unittest.main()
