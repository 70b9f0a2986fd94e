/** Judges that know nothing of this code: boto3 with its waiters, the AWS CLI, cfn-lint. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readTemplate } from '../../local/aws/services/cloudformation/template/template.ts';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { accounts, region, type TestPlatform, withPlatform } from '../support/platform.ts';
import { createStack, role, settled } from './support.ts';

const run = promisify(execFile);
const fixture = join(import.meta.dirname, 'fixtures/everything.yml');
let tools: { python: string; directory: string };
let scratch: string;

beforeAll(async () => {
  const directory = join(import.meta.dirname, '../../.sagemaker-mlops/python');
  tools = await ensureTools({ directory, progress: () => {} });
  scratch = await mkdtemp(join(tmpdir(), 'sagemaker-mlops-cloudformation-'));
}, 240_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function environmentOf(platform: TestPlatform): Promise<NodeJS.ProcessEnv> {
  const credentials = await platform.credentials(accounts.development);
  return { ...pythonEnvironment(), ...platform.environment(credentials), HOME: scratch };
}

const boto = async (platform: TestPlatform, body: string): Promise<any> => {
  const script = `
import boto3, botocore, json
from botocore.config import Config
cfn = boto3.client("cloudformation", config=Config(retries={"total_max_attempts": 1}))
out = {}
def code(label, call):
    try:
        call()
        out[label] = "no error"
    except botocore.exceptions.ClientError as error:
        out[label] = [type(error).__name__, error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
def wait(name, **more):
    cfn.get_waiter(name).wait(WaiterConfig={"Delay": 1, "MaxAttempts": 30}, **more)
${body}
print(json.dumps(out, default=str))
`;
  const { stdout } = await run(tools.python, ['-c', script], { env: await environmentOf(platform) });
  return JSON.parse(stdout);
};

test('boto3: stacks with waiters, change sets, typed errors', async () => {
  await withPlatform({}, async (platform) => {
    const trusted = JSON.stringify(role()['Properties'].AssumeRolePolicyDocument);
    const out = await boto(
      platform,
      `
def template(duration):
    return json.dumps({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"MaxSessionDuration": duration, "AssumeRolePolicyDocument": json.loads('''${trusted}''')}}}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["R", "Arn"]}}}})
cap = {"Capabilities": ["CAPABILITY_IAM"]}
created = cfn.create_stack(StackName="peer", TemplateBody=template(3600), Tags=[{"Key": "a", "Value": "b"}], **cap)
wait("stack_create_complete", StackName="peer")
stack = cfn.describe_stacks(StackName="peer")["Stacks"][0]
out["stack"] = {"id": stack["StackId"] == created["StackId"], "status": stack["StackStatus"], "outputs": stack["Outputs"], "tags": stack["Tags"], "time": type(stack["CreationTime"]).__name__}
code("no update", lambda: cfn.update_stack(StackName="peer", TemplateBody=template(3600), Tags=[{"Key": "a", "Value": "b"}], **cap))
code("exists", lambda: cfn.create_stack(StackName="peer", TemplateBody=template(3600), **cap))
code("capabilities", lambda: cfn.create_stack(StackName="other", TemplateBody=template(3600)))
code("missing", lambda: cfn.describe_stacks(StackName="nobody"))
code("no change set", lambda: cfn.describe_change_set(StackName="peer", ChangeSetName="nothing"))
cfn.create_change_set(StackName="peer", ChangeSetName="change", TemplateBody=template(7200), **cap)
wait("change_set_create_complete", StackName="peer", ChangeSetName="change")
out["changes"] = cfn.describe_change_set(StackName="peer", ChangeSetName="change")["Changes"]
cfn.execute_change_set(StackName="peer", ChangeSetName="change")
wait("stack_update_complete", StackName="peer")
out["events"] = [(e["LogicalResourceId"], e["ResourceStatus"]) for e in cfn.get_paginator("describe_stack_events").paginate(StackName="peer").build_full_result()["StackEvents"]]
out["template"] = type(cfn.get_template(StackName="peer")["TemplateBody"]).__name__
cfn.delete_stack(StackName="peer")
wait("stack_delete_complete", StackName=created["StackId"])
code("no set", lambda: cfn.describe_stack_set(StackSetName="nobody"))
cfn.create_stack_set(StackSetName="peer-set", TemplateBody=template(3600), **cap)
code("same set", lambda: cfn.create_stack_set(StackSetName="peer-set", TemplateBody=template(3600), **cap))
code("no operation", lambda: cfn.describe_stack_set_operation(StackSetName="peer-set", OperationId="none"))
code("no instance", lambda: cfn.describe_stack_instance(StackSetName="peer-set", StackInstanceAccount="444455556666", StackInstanceRegion="eu-west-1"))
`,
    );
    expect(out.stack).toMatchObject({
      id: true,
      status: 'CREATE_COMPLETE',
      tags: [{ Key: 'a', Value: 'b' }],
      time: 'datetime',
    });
    expect(out.stack.outputs[0].OutputValue).toMatch(/^arn:aws:iam::111122223333:role\/peer-R-/);
    expect(out.changes).toMatchObject([
      { Type: 'Resource', ResourceChange: { Action: 'Modify', LogicalResourceId: 'R', Replacement: 'False' } },
    ]);
    expect(out.events.slice(0, 3)).toEqual([
      ['peer', 'UPDATE_COMPLETE'],
      ['peer', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'],
      ['R', 'UPDATE_COMPLETE'],
    ]);
    // boto3 parses JSON templates into a dictionary.
    expect(out.template).toBe('OrderedDict');
    expect(out).toMatchObject({
      'no update': ['ClientError', 'ValidationError', 400],
      exists: ['AlreadyExistsException', 'AlreadyExistsException', 400],
      capabilities: ['InsufficientCapabilitiesException', 'InsufficientCapabilitiesException', 400],
      missing: ['ClientError', 'ValidationError', 400],
      'no change set': ['ChangeSetNotFoundException', 'ChangeSetNotFound', 404],
      'no set': ['StackSetNotFoundException', 'StackSetNotFoundException', 404],
      'same set': ['NameAlreadyExistsException', 'NameAlreadyExistsException', 409],
      'no operation': ['OperationNotFoundException', 'OperationNotFoundException', 404],
      'no instance': ['StackInstanceNotFoundException', 'StackInstanceNotFoundException', 404],
    });
  });
}, 120_000);

test('boto3 sees a stack set operation in mid-flight', async () => {
  await withPlatform({}, async (platform) => {
    const administrationArn = `arn:aws:iam::${accounts.development}:role/AWSCloudFormationStackSetAdministrationRole`;
    const statement = (Statement: object) => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', ...Statement }],
    });
    await createStack(platform.administrator(accounts.development, region).cloudformation, 'administration', {
      Resources: {
        R: role({
          RoleName: 'AWSCloudFormationStackSetAdministrationRole',
          AssumeRolePolicyDocument: statement({
            Principal: { Service: 'cloudformation.amazonaws.com' },
            Action: 'sts:AssumeRole',
          }),
          Policies: [
            {
              PolicyName: 'hop',
              PolicyDocument: statement({
                Action: 'sts:AssumeRole',
                Resource: 'arn:aws:iam::*:role/AWSCloudFormationStackSetExecutionRole',
              }),
            },
          ],
        }),
      },
    });
    for (const account of [accounts.staging, accounts.production1, accounts.production2]) {
      await createStack(platform.administrator(account, region).cloudformation, 'execution', {
        Resources: {
          R: role({
            RoleName: 'AWSCloudFormationStackSetExecutionRole',
            AssumeRolePolicyDocument: statement({ Principal: { AWS: administrationArn }, Action: 'sts:AssumeRole' }),
            Policies: [{ PolicyName: 'all', PolicyDocument: statement({ Action: '*', Resource: '*' }) }],
          }),
        },
      });
    }
    await platform.control('POST', 'clock', { mode: 'by-hand' });
    const look = `
op = cfn.describe_stack_set_operation(StackSetName="flight", OperationId="op")["StackSetOperation"]["Status"]
instances = sorted(i["StackInstanceStatus"]["DetailedStatus"] for i in cfn.get_paginator("list_stack_instances").paginate(StackSetName="flight").build_full_result()["Summaries"])
out["seen"] = [op, instances]
`;
    const accountList = JSON.stringify([accounts.staging, accounts.production1, accounts.production2]);
    await boto(
      platform,
      `
cfn.create_stack_set(StackSetName="flight", TemplateBody=json.dumps({"Resources": {"H": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}))
cfn.create_stack_instances(StackSetName="flight", Accounts=${accountList}, Regions=["${region}"], OperationId="op", OperationPreferences={"MaxConcurrentCount": 2, "FailureToleranceCount": 1})
`,
    );
    await platform.control('POST', 'clock/advance', { milliseconds: 1_500 });
    expect((await boto(platform, look)).seen).toEqual(['RUNNING', ['PENDING', 'RUNNING', 'RUNNING']]);
    await platform.control('POST', 'clock/advance', { milliseconds: 60_000 });
    expect((await boto(platform, look)).seen).toEqual(['SUCCEEDED', ['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']]);
  });
}, 120_000);

test('the AWS CLI deploys a template with every function, and reads what it made', async () => {
  await withPlatform({}, async (platform) => {
    const env = await environmentOf(platform);
    const aws = async (...parameters: string[]) => {
      const { stdout } = await run(join(tools.directory, 'bin/aws'), ['cloudformation', ...parameters], { env });
      return stdout;
    };
    // Its own waiters look every 30 s, so changes are executed and awaited apart.
    const { cloudformation } = platform.administrator(accounts.development, region);
    const deploy = (...more: string[]) =>
      aws('deploy', '--template-file', fixture, '--stack-name', 'every', '--capabilities', 'CAPABILITY_IAM', ...more);
    const answer = await deploy('--no-execute-changeset');
    const [changeSet] = /arn:aws:cloudformation:\S+changeSet\S+/.exec(answer)!;
    await aws('execute-change-set', '--change-set-name', changeSet);
    expect((await settled(cloudformation, 'every')).StackStatus).toBe('CREATE_COMPLETE');
    const read = async () => {
      const { Stacks } = JSON.parse(await aws('describe-stacks', '--stack-name', 'every', '--output', 'json'));
      return Object.fromEntries(Stacks[0].Outputs.map((item: any) => [item.OutputKey, item.OutputValue]));
    };
    const outputs = await read();
    expect(outputs).toEqual({
      Words: 'everything',
      Encoded: 'dGV4dA==',
      Blocks: '10.0.0.0/24,10.0.1.0/24',
      Zone: 'eu-west-1a',
      Where: 'aws eu-west-1 111122223333 amazonaws.com',
      Follower: expect.stringMatching(/^arn:aws:iam::111122223333:role\/every-Follower-/),
      Either: expect.stringMatching(/^every-Base-/),
    });
    expect(await deploy('--no-fail-on-empty-changeset')).toContain('No changes to deploy');
    const parameters = ['ParameterKey=Hours,ParameterValue=2', 'ParameterKey=Extra,ParameterValue=no'];
    await aws(
      'update-stack',
      '--stack-name',
      'every',
      '--use-previous-template',
      '--parameters',
      ...parameters,
      '--capabilities',
      'CAPABILITY_IAM',
    );
    expect((await settled(cloudformation, 'every')).StackStatus).toBe('UPDATE_COMPLETE');
    const { Follower: _, ...kept } = outputs;
    expect(await read()).toEqual({ ...kept, Never: undefined });
    await aws('delete-stack', '--stack-name', 'every');
  });
}, 120_000);

describe('cfn-lint', () => {
  const lint = async (...files: string[]): Promise<string> =>
    run(join(tools.directory, 'bin/cfn-lint'), ['--format', 'parseable', '--regions', region, '--', ...files], {
      env: { ...pythonEnvironment(), HOME: scratch },
    }).then(
      ({ stdout }) => stdout,
      (error) => error.stdout,
    );

  test('finds nothing in the fixture, which is read without complaint', async () => {
    expect(await lint(fixture)).toBe('');
    expect(() => readTemplate('{}')).toThrow();
    expect(Object.keys(readTemplate(await readFile(fixture, 'utf8')).resources)).toEqual([
      'Base',
      'Follower',
      'Handle',
    ]);
  }, 60_000);

  const handle = { Type: 'AWS::CloudFormation::WaitConditionHandle' };
  const bad: Record<string, object> = {
    ref: { Resources: { H: { ...handle, Metadata: {} }, R: role({ Path: { Ref: 'Nope' } }) } },
    attribute: { Resources: { R: role(), S: role({ Path: { 'Fn::GetAtt': ['R', 'Nope'] } }) } },
    circle: { Resources: { R: role({ Path: { Ref: 'S' } }), S: role({ Path: { Ref: 'R' } }) } },
    depends: { Resources: { R: role({}, { DependsOn: 'Nope' }) } },
    condition: { Resources: { R: role({}, { Condition: 'Nope' }) } },
    section: { Resources: { H: handle }, Ressources: {} },
    type: { Resources: { H: { Type: 'AWS::IAM::Rolle' } } },
    mapping: { Resources: { R: role({ Path: { 'Fn::FindInMap': ['Nope', 'a', 'b'] } }) } },
    parameter: { Parameters: { P: { Type: 'Text' } }, Resources: { R: role({ Path: { Ref: 'P' } }) } },
    output: { Resources: { H: handle }, Outputs: { O: { Value: { Ref: 'Nope' } } } },
    function: { Resources: { R: role({ Path: { 'Fn::Nope': [] } }) } },
    name: { Resources: { 'not-alphanumeric': handle } },
    member: { Resources: { H: { ...handle, Depends: [] } } },
  };
  test('and refuses what is refused here', async () => {
    const files = await Promise.all(
      Object.entries(bad).map(async ([name, template]) => {
        const file = join(scratch, `${name}.json`);
        await writeFile(file, JSON.stringify(template));
        return file;
      }),
    );
    const report = await lint(...files);
    for (const [index, [name, template]] of Object.entries(bad).entries()) {
      expect({
        name,
        lint: report.split('\n').some((line) => line.startsWith(files[index]!) && /:E\d/.test(line)),
      }).toEqual({ name, lint: true });
      expect(() => readTemplate(JSON.stringify(template))).toThrow();
    }
  }, 60_000);
});
