/** boto3 and the AWS CLI must read the same results and the same typed errors as the SDK for JavaScript. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DescribeModelPackageGroupCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';

const run = promisify(execFile);
let platform: TestPlatform;
let environment: NodeJS.ProcessEnv;
let tools: { python: string; directory: string };
let scratch: string;

beforeAll(async () => {
  const directory = join(import.meta.dirname, '../../.sagemaker-mlops/python');
  tools = await ensureTools({ directory, progress: () => {} });
  platform = await startTestPlatform({ python: true });
  const credentials = await platform.credentials(accounts.development);
  environment = { ...pythonEnvironment(), ...platform.environment(credentials), HOME: platform.stateDirectory };
  scratch = await mkdtemp(join(tmpdir(), 'sagemaker-mlops-clients-'));
}, 240_000);
afterAll(async () => {
  await platform.close();
  await rm(scratch, { recursive: true, force: true });
});

const aws = async (...parameters: string[]) => {
  const { stdout } = await run(join(tools.directory, 'bin/aws'), [...parameters, '--output', 'json'], {
    env: environment,
  });
  return stdout === '' ? {} : JSON.parse(stdout);
};
const awsError = (...parameters: string[]) =>
  aws(...parameters).then(
    () => 'no error',
    (error) => /\(([\w.]+)\)/.exec(error.stderr)?.[1] ?? error.stderr,
  );

/** One Python process makes all of boto3's calls: starting it costs more than the calls. */
const script = `
import boto3, botocore, json, os, io
from botocore.config import Config
def client(name, **more):
    known = {"aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"], "aws_session_token": os.environ["AWS_SESSION_TOKEN"]}
    return boto3.client(name, config=Config(retries={"total_max_attempts": 1}), **{**known, **more})
out = {}
def code(label, call):
    try:
        call()
        out[label] = "no error"
    except botocore.exceptions.ClientError as error:
        out[label] = [type(error).__name__, error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
sts, iam, sm, cfn, s3, kms = (client(n) for n in ["sts", "iam", "sagemaker", "cloudformation", "s3", "kms"])
out["identity"] = sts.get_caller_identity()["Arn"]
sm.create_model_package_group(ModelPackageGroupName="from-boto", ModelPackageGroupDescription="by boto3", Tags=[{"Key": "a", "Value": "b"}])
group = sm.describe_model_package_group(ModelPackageGroupName="from-boto")
out["group"] = {"arn": group["ModelPackageGroupArn"], "status": group["ModelPackageGroupStatus"], "time": group["CreationTime"].timestamp()}
out["tags"] = sm.list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"]
iam.create_role(RoleName="from-boto", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}), Tags=[{"Key": "x", "Value": "y"}])
role = iam.get_role(RoleName="from-boto")["Role"]
out["role"] = {"arn": role["Arn"], "service": role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"], "tags": role["Tags"]}
code("no role", lambda: iam.get_role(RoleName="none"))
code("same role", lambda: iam.create_role(RoleName="from-boto", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})))
code("no pipeline", lambda: sm.describe_pipeline(PipelineName="none"))
code("no group", lambda: sm.describe_model_package_group(ModelPackageGroupName="none"))
code("no stack", lambda: cfn.describe_stacks(StackName="none"))
code("bad name", lambda: sm.create_model_package_group(ModelPackageGroupName="a_b"))
code("bad key", lambda: client("sts", aws_access_key_id="ASIALOCALNOBODY00000").get_caller_identity())
code("bad secret", lambda: client("sagemaker", aws_secret_access_key="x").list_pipelines())
code("not served", lambda: sm.list_domains())
s3.create_bucket(Bucket="from-boto", CreateBucketConfiguration={"LocationConstraint": "${region}"})
key = kms.create_key(Description="by boto3")["KeyMetadata"]
out["key"] = key["Arn"]
s3.put_object(Bucket="from-boto", Key="a b/c", Body=b"content", ServerSideEncryption="aws:kms", SSEKMSKeyId=key["Arn"])
got = s3.get_object(Bucket="from-boto", Key="a b/c")
out["object"] = {"body": got["Body"].read().decode(), "key": got["SSEKMSKeyId"], "etag": got["ETag"]}
out["keys"] = [item["Key"] for item in s3.list_objects_v2(Bucket="from-boto", Prefix="a ")["Contents"]]
s3.upload_fileobj(io.BytesIO(b"z" * 9_000_000), "from-boto", "parts")
out["parts"] = s3.head_object(Bucket="from-boto", Key="parts")["ContentLength"]
code("no object", lambda: s3.get_object(Bucket="from-boto", Key="none"))
code("no head", lambda: s3.head_object(Bucket="from-boto", Key="none"))
code("no bucket", lambda: s3.list_objects_v2(Bucket="from-nobody"))
code("no kms key", lambda: s3.put_object(Bucket="from-boto", Key="x", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId="11111111-2222-3333-4444-555555555555"))
url = boto3.client("s3", config=Config(signature_version="s3v4")).generate_presigned_url("get_object", Params={"Bucket": "from-boto", "Key": "a b/c"}, ExpiresIn=60)
import urllib.request
out["presigned"] = urllib.request.urlopen(url).read().decode()
blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]
out["decrypted"] = kms.decrypt(CiphertextBlob=blob)["Plaintext"].decode()
print(json.dumps(out))
`;

test('boto3: results and typed errors', async () => {
  const { stdout } = await run(tools.python, ['-c', script], { env: environment });
  const out = JSON.parse(stdout);
  const credentials = await platform.credentials(accounts.development);
  const sagemaker = new SageMakerClient({ region, endpoint: platform.url, credentials });
  const group = await sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: 'from-boto' }));
  expect(out.identity).toMatch(/:assumed-role\/OrganizationAccountAccessRole\//);
  expect(out.group).toEqual({
    arn: group.ModelPackageGroupArn,
    status: group.ModelPackageGroupStatus,
    time: group.CreationTime!.getTime() / 1000,
  });
  expect(out.tags).toEqual([{ Key: 'a', Value: 'b' }]);
  expect(out.role).toEqual({
    arn: `arn:aws:iam::${accounts.development}:role/from-boto`,
    service: 'sagemaker.amazonaws.com',
    tags: [{ Key: 'x', Value: 'y' }],
  });
  expect(out.object).toEqual({ body: 'content', key: out.key, etag: expect.stringMatching(/^"[0-9a-f]{32}"$/) });
  expect(out).toMatchObject({ keys: ['a b/c'], parts: 9_000_000, presigned: 'content', decrypted: 'secret' });
  const errors = Object.fromEntries(
    Object.entries(out).filter(([, value]) => Array.isArray(value) && value.length === 3),
  );
  expect(errors).toEqual({
    'no role': ['NoSuchEntityException', 'NoSuchEntity', 404],
    'same role': ['EntityAlreadyExistsException', 'EntityAlreadyExists', 409],
    'no pipeline': ['ResourceNotFound', 'ResourceNotFound', 400],
    'no group': ['ClientError', 'ValidationException', 400],
    'no stack': ['ClientError', 'ValidationError', 400],
    'bad name': ['ClientError', 'ValidationException', 400],
    'bad key': ['ClientError', 'InvalidClientTokenId', 403],
    'bad secret': ['ClientError', 'InvalidSignatureException', 400],
    'not served': ['ClientError', 'NotImplemented', 501],
    'no object': ['NoSuchKey', 'NoSuchKey', 404],
    'no head': ['ClientError', '404', 404],
    'no bucket': ['NoSuchBucket', 'NoSuchBucket', 404],
    'no kms key': ['ClientError', 'KMS.NotFoundException', 400],
  });
});

test('the AWS CLI: results, typed errors, files', async () => {
  const [identity, missing, described] = await Promise.all([
    aws('sts', 'get-caller-identity'),
    awsError('iam', 'get-role', '--role-name', 'nobody'),
    awsError('sagemaker', 'describe-pipeline', '--pipeline-name', 'none'),
  ]);
  expect(identity.Account).toBe(accounts.development);
  expect(missing).toBe('NoSuchEntity');
  expect(described).toBe('ResourceNotFound');
  const file = join(scratch, 'file');
  await writeFile(file, 'x'.repeat(100_000));
  await aws(
    's3api',
    'create-bucket',
    '--bucket',
    'from-cli',
    '--create-bucket-configuration',
    `LocationConstraint=${region}`,
  );
  await run(join(tools.directory, 'bin/aws'), ['s3', 'cp', file, 's3://from-cli/dir/file'], { env: environment });
  await run(join(tools.directory, 'bin/aws'), ['s3', 'cp', 's3://from-cli/dir/file', `${file}.back`], {
    env: environment,
  });
  expect(await readFile(`${file}.back`, 'utf8')).toBe('x'.repeat(100_000));
  const listed = await aws('s3api', 'list-objects-v2', '--bucket', 'from-cli');
  expect(listed.Contents).toMatchObject([{ Key: 'dir/file', Size: 100_000 }]);
});
