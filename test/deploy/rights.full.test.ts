/** The roles of cleanup are judged by its own tests. Every right that the others grant is used by what the product does, or stands on the list with its reason. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient, DescribeLogStreamsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeModelPackageCommand,
  DescribeModelPackageGroupCommand,
  DescribePipelineCommand,
  DescribePipelineDefinitionForExecutionCommand,
  DescribePipelineExecutionCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  ListModelPackagesCommand,
  ListPipelineExecutionStepsCommand,
  ListPipelineExecutionsCommand,
  ListPipelineParametersForExecutionCommand,
  ListPipelineVersionsCommand,
  ListTagsCommand,
  SageMakerClient,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ActionRun, quick, runAction } from '../actions/support/action.ts';
import { base, project, root, startWorld, type World } from '../actions/support/world.ts';
import {
  deployedRoles,
  type GrantedAction,
  grantedActions,
  type LeastPrivilegeReport,
  leastPrivilege,
} from '../iam/least-privilege.ts';
import { accounts, region } from '../support/platform.ts';
import { templatesFolder } from '../templates/templates.ts';
import { stageInputs, stageWorkspace } from './support/fixture.ts';
import { resetStage } from './support/stage.ts';

interface Listed {
  role: string;
  actions: string[];
  reason: string;
}
const { unexercised }: { unexercised: Listed[] } = JSON.parse(
  readFileSync(join(templatesFolder, 'permissions.json'), 'utf8'),
);

let world: World;
let github: Server;
let decision = 'approved';
let report: LeastPrivilegeReport;
let granted: GrantedAction[];

beforeAll(async () => {
  world = await startWorld();
  github = createServer((_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(
        JSON.stringify([
          { environments: [{ name: 'production' }], state: decision, user: { login: 'grace' }, comment: '' },
        ]),
      ),
  );
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
  await everything();
  const roles = [];
  for (const account of Object.values(accounts)) {
    const { iam } = world.administrator(account);
    roles.push(
      ...(await deployedRoles(
        iam,
        account,
        (name) => name.startsWith(`sagemaker-${base}-`) && !name.includes('cleanup'),
      )),
    );
  }
  granted = grantedActions(roles);
  report = leastPrivilege(world.calls(), roles);
}, 180_000);
afterAll(async () => {
  github?.close();
  await world?.close();
});

/** What a project does in its life: two builds, a failing one, both stages, changes, a failure, a cancellation, a refusal. */
async function everything(): Promise<void> {
  const act = (name: string, environment: string, inputs: Record<string, string>, more: ActionRun = {}) =>
    runAction(name, world, { ...quick, environment, ...more, inputs: { 'aws-region': region, ...inputs } });
  const names = { 'project-name': project.name, 'project-id': project.id };
  const built = await act('run-pipeline', 'build', { ...names, 'role-to-assume': world.role('ci-build') });
  expect(built.failures).toEqual([]);
  const arn = built.outputs['model-package-arn']!;
  await buildsInTrouble(names);
  await reads(arn, built.outputs['execution-arn']!);
  const gated = await act('gate-model', 'model-approval', {
    'model-package-arn': arn,
    'role-to-assume': world.role('ci-gate'),
  });
  expect(gated.failures).toEqual([]);
  const workspace = stageWorkspace();
  const stage = async (
    action: string,
    name: string,
    folder = workspace,
    inputs: Record<string, string> = {},
    more: ActionRun = {},
  ) => act(action, name, stageInputs(world, name, arn, inputs), { workspace: folder, ...more });
  const { port } = github.address() as AddressInfo;
  const reviewed = { 'model-package-arn': arn, environment: 'production', 'github-token': 'ghs_token-of-the-job' };
  const api = { env: { GITHUB_API_URL: `http://127.0.0.1:${port}` } };
  const approving = { ...reviewed, 'role-to-assume': world.role('ci-deploy-production') };
  expect((await act('approve-model', 'production', approving, api)).failures).toEqual([]);
  for (const name of ['staging', 'production']) {
    expect((await stage('deploy-stack-set', name)).failures).toEqual([]);
    expect((await stage('test-endpoint', name)).failures).toEqual([]);
  }
  const group = { 'model-package-group': base, select: 'production' };
  await act('resolve-model', 'production', { ...group, 'role-to-assume': world.role('ci-deploy-production') });
  const larger = stageWorkspace((_, text) => text.replace('ml.m5.large', 'ml.m5.xlarge'));
  for (const name of ['staging', 'production'])
    expect((await stage('deploy-stack-set', name, larger)).failures).toEqual([]);
  // A failure, whose cause is read with the verify role.
  for (const account of [accounts.staging, accounts.production1, accounts.production2])
    await world.control('POST', 'faults', {
      operation: 'sagemaker:UpdateEndpoint',
      account,
      effect: { kind: 'error', code: 'ResourceLimitExceeded', message: 'no instances' },
    });
  for (const name of ['staging', 'production']) await stage('deploy-stack-set', name);
  await world.control('DELETE', 'faults');
  for (const name of ['staging', 'production']) expect((await stage('deploy-stack-set', name)).failures).toEqual([]);
  for (const name of ['staging', 'production'])
    expect((await stage('deploy-stack-set', name, larger)).failures).toEqual([]);
  // A model that answers nonsense, whose log is read.
  await world.control('POST', 'faults', {
    operation: 'sagemaker:InvokeEndpoint',
    times: 99,
    effect: { kind: 'error', code: 'ModelError', message: 'broken', status: 424 },
  });
  for (const name of ['staging', 'production']) await stage('test-endpoint', name, larger);
  await world.control('DELETE', 'faults');
  // Tags that come and go, fewer accounts, and a cancelled deployment.
  const tagged = stageWorkspace((_, text) => `${text}tags: {team: a}\n`);
  for (const folder of [tagged, workspace])
    for (const name of ['staging', 'production'])
      expect((await stage('deploy-stack-set', name, folder)).failures).toEqual([]);
  const fewer = stageWorkspace((_, text) => text.replace(/accounts: .*/, `accounts: ["${accounts.production1}"]`));
  expect((await stage('deploy-stack-set', 'production', fewer, { 'max-removals': '50' })).failures).toEqual([]);
  for (const name of ['staging', 'production'])
    await stage(
      'deploy-stack-set',
      name,
      larger,
      { 'on-cancel': 'stop' },
      {
        onLine: (line, child) => line.startsWith('Started') && child.kill('SIGINT'),
        runId: '77009',
      },
    );
  // What a rollback would do, asked by the role that looks; below, one that a reviewer refuses.
  const previous = { 'model-package-group': base, select: 'previous', 'role-to-assume': world.role('ci-record') };
  expect((await act('resolve-model', 'model-record', previous, { workspace })).outputs['status']).toBe('none');
  for (const name of ['staging', 'production']) await resetStage(world, name);
  decision = 'rejected';
  const refusal = { ...reviewed, mode: 'record-refusal', 'role-to-assume': world.role('ci-record') };
  await act('approve-model', 'model-record', { ...refusal, 'rollback-from': arn }, api);
  await unsayProduction(arn);
  await act('approve-model', 'model-record', refusal, api);
}

/** As a package that was never deployed, so that its refusal is a refusal of the model. */
async function unsayProduction(ModelPackageArn: string): Promise<void> {
  const ModelLifeCycle = { Stage: 'Staging', StageStatus: 'Approved' };
  await world
    .administrator(accounts.development)
    .sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn, ModelLifeCycle }));
}

/** Another definition, a failing job and its repetition, a stopped execution. */
async function buildsInTrouble(names: Record<string, string>): Promise<void> {
  const build = (runId: string, change: [string, string | RegExp, string], more: ActionRun = {}) => {
    const folder = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-checkout-'));
    cpSync(join(root, 'seed-code'), folder, { recursive: true });
    const [file, from, to] = change;
    const path = join(folder, 'model-build', file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
    return runAction('run-pipeline', world, {
      environment: 'build',
      workspace: folder,
      runId,
      ...more,
      inputs: { 'aws-region': region, ...names, 'role-to-assume': world.role('ci-build'), ...more.inputs },
    });
  };
  await build('5501', ['pipeline.json', '"max_depth": "5"', '"max_depth": "4"'], { inputs: { 'dry-run': 'true' } });
  await world.control('POST', 'faults', {
    operation: 'sagemaker:CreateTrainingJob',
    times: 2,
    effect: { kind: 'job-failure', reason: 'CapacityError: none', after: 'PT0S' },
  });
  const other: [string, string, string] = ['pipeline.json', '"max_depth": "5"', '"max_depth": "3"'];
  // The second attempt repeats the execution and explains it by the definition that the execution has.
  for (const attempt of [1, 2]) await build('5502', other, { attempt });
  expect((await build('5502', other, { attempt: 3 })).failures).toEqual([]);
  await build('5503', ['scripts/evaluate.py', /^/, 'print("reading")\nraise SystemExit(3)\n']);
  for (const script of ['preprocess', 'evaluate'])
    await build(`550${script.length}`, [`scripts/${script}.py`, /^/, `import time  # ${script}\ntime.sleep(4)\n`], {
      inputs: { 'on-cancel': 'stop' },
      onLine: (line, child) =>
        line.includes(script === 'preprocess' ? 'Preprocess: ' : 'Evaluate: ') && child.kill('SIGINT'),
    });
}

/** What data scientists look at. */
async function reads(arn: string, execution: string): Promise<void> {
  const credentials = await world.credentials(accounts.development, `sagemaker-${base}-data-scientist`);
  const settings = { region, endpoint: world.url, credentials, forcePathStyle: true };
  const [sagemaker, s3, logs] = [
    new SageMakerClient(settings),
    new S3Client(settings),
    new CloudWatchLogsClient(settings),
  ];
  const { PipelineArn } = await sagemaker.send(new DescribePipelineCommand({ PipelineName: base }));
  await sagemaker.send(new ListTagsCommand({ ResourceArn: PipelineArn }));
  await sagemaker.send(new ListPipelineExecutionsCommand({ PipelineName: base }));
  await sagemaker.send(new ListPipelineVersionsCommand({ PipelineName: base }));
  const PipelineExecutionArn = execution;
  await sagemaker.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn }));
  await sagemaker.send(new DescribePipelineDefinitionForExecutionCommand({ PipelineExecutionArn }));
  await sagemaker.send(new ListPipelineParametersForExecutionCommand({ PipelineExecutionArn }));
  const { PipelineExecutionSteps = [] } = await sagemaker.send(
    new ListPipelineExecutionStepsCommand({ PipelineExecutionArn }),
  );
  for (const { Metadata } of PipelineExecutionSteps) {
    const name = (given: string | undefined) => given?.split('/').at(-1);
    const [training, processing] = [name(Metadata?.TrainingJob?.Arn), name(Metadata?.ProcessingJob?.Arn)];
    if (training !== undefined) {
      await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: training }));
      const logGroupName = '/aws/sagemaker/TrainingJobs';
      const { logStreams } = await logs.send(
        new DescribeLogStreamsCommand({ logGroupName, logStreamNamePrefix: training }),
      );
      await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName: logStreams![0]!.logStreamName }));
    }
    if (processing !== undefined)
      await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: processing }));
  }
  await sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: base }));
  await sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: base }));
  const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(found.ModelMetrics!.ModelQuality!.Statistics!.S3Uri!)!;
  await s3.send(new GetObjectCommand({ Bucket, Key }));
  await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'evaluation/' }));
}

const suffixOf = (role: string) => role.slice(`sagemaker-${base}-`.length);

test('unused rights are on the list, with their reason, and the list has no others', () => {
  // A right that one stage or account has used is used.
  const place = ({ role, action }: { role: string; action: string }) =>
    `${suffixOf(role).replace(/^ci-deploy-.+/, 'ci-deploy')} ${action}`;
  const counts = Map.groupBy(report.unused, (entry) => `${place(entry)} ${entry.statement}`);
  const deployed = Map.groupBy(granted, (entry) => `${place(entry)} ${entry.statement}`);
  const unused = [...counts.values()]
    .filter((entries) => entries.length === deployed.get(`${place(entries[0]!)} ${entries[0]!.statement}`)?.length)
    .map((entries) => place(entries[0]!));
  const listed = unexercised.flatMap(({ role, actions }) =>
    actions.map((action) => place({ role: `sagemaker-${base}-${role}`, action })),
  );
  expect([...new Set(unused)].sort()).toEqual([...new Set(listed)].sort());
  for (const { reason } of unexercised) expect(reason.length).toBeGreaterThan(30);
});

test('every used right is needed: without it a call would have been refused', () => {
  expect(report.redundant.map(({ role, statement, action }) => `${suffixOf(role)}#${statement} ${action}`)).toEqual([]);
});

test('no role of ours was refused anything', () => {
  expect(report.ungranted.map(({ principal, action, decision }) => `${principal} ${action} ${decision}`)).toEqual([]);
});
