/** Two projects in one world, made over the wire without training: what cleanup must remove, and what it must not touch. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  DescribeStackSetOperationCommand,
  type StackSetOperationPreferences,
} from '@aws-sdk/client-cloudformation';
import { CreateLogGroupCommand, CreateLogStreamCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateModelPackageCommand,
  CreatePipelineCommand,
  DescribePipelineExecutionCommand,
  StartPipelineExecutionCommand,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { Control } from '../../../cli/control.ts';
import { deployEnvironment } from '../../../cli/environment.ts';
import type { JobResult, JobRunner } from '../../../local/aws/core/context.ts';
import { buildDefinition } from '../../../src/deploy/definition.ts';
import { parseStage } from '../../../src/deploy/stage-file.ts';
import { productRepository, project, repository, root, startWorld, type World } from '../../actions/support/world.ts';
import { image, type LinearServers, linearServers } from '../../deploy/support/fixture.ts';
import { until } from '../../deploy/support/stage.ts';
import { accounts, arrange, region } from '../../support/platform.ts';

export interface Names {
  name: string;
  id: string;
  base: string;
  bucket: string;
}

function namesOf(name: string, id: string): Names {
  return { name, id, base: `${name}-${id}`, bucket: `sm-mlops-cp-${name}-${id}` };
}

export const mine: Names = namesOf(project.name, project.id);
/** The other project: its name begins alike, so that a prefix taken too short would hit it. */
export const otherRepository = { ...repository, name: 'abalone-2', id: 2003 };
export const other: Names = namesOf(
  'abalone-2',
  `p-${createHash('sha256').update(String(otherRepository.id)).digest('hex').slice(0, 12)}`,
);

const stageAccounts: Record<string, string[]> = {
  staging: [accounts.staging],
  production: [accounts.production1, accounts.production2],
};
const manyAtOnce: StackSetOperationPreferences = {
  MaxConcurrentCount: 10,
  FailureToleranceCount: 9,
  ConcurrencyMode: 'SOFT_FAILURE_TOLERANCE',
};

export const tagsOf = ({ name, id }: Names) => [
  { Key: 'sagemaker:project-name', Value: name },
  { Key: 'sagemaker:project-id', Value: id },
];
export const setName = ({ base }: Names, stage: string) => `sagemaker-${base}-deploy-${stage}`;
export const roleOf = ({ base }: Names, account: string, suffix: string) =>
  `arn:aws:iam::${account}:role/sagemaker-${base}-${suffix}`;

/** Jobs that end at once, or only when they are stopped (`hold`). */
export interface HeldJobs extends JobRunner {
  hold: boolean;
  /** Jobs that wait for `release` or their stop. */
  held: number;
  release: () => void;
}

function heldJobs(): HeldJobs {
  const waiting = new Set<(result: JobResult) => void>();
  const jobs: HeldJobs = {
    hold: false,
    get held() {
      return waiting.size;
    },
    release() {
      for (const end of waiting) end({ status: 'Completed' });
      waiting.clear();
    },
    check: () => [],
    start() {
      if (!jobs.hold) return { finished: Promise.resolve({ status: 'Completed' }), stop: () => undefined };
      let end: (result: JobResult) => void = () => undefined;
      const finished = new Promise<JobResult>((resolve) => {
        end = resolve;
      });
      waiting.add(end);
      return {
        finished,
        stop() {
          waiting.delete(end);
          end({ status: 'Stopped' });
        },
      };
    },
  };
  return jobs;
}

export interface Projects {
  world: World;
  servers: LinearServers;
  jobs: HeldJobs;
  close(): Promise<void>;
}

/** A world with both environments deployed and nothing in them. */
export async function startProjects(): Promise<Projects> {
  const world = await startWorld();
  const servers = linearServers(world);
  const jobs = heldJobs();
  (world.platform.context as { jobs: JobRunner }).jobs = jobs;
  await arrange(world, () =>
    deployEnvironment(new Control({ port: world.platform.port, token: world.token } as any), {
      templates: join(root, 'templates'),
      region,
      project: { name: other.name, id: other.id },
      repository: otherRepository,
      productRepository,
      accounts: world.platform.context.world.accounts,
    }),
  );
  return {
    world,
    servers,
    jobs,
    async close() {
      await servers.closeAll();
      await world.close();
    },
  };
}

export interface Seeded {
  packages: string[];
  execution: string;
  /** Model and configuration that a replacement left behind in the staging account. */
  retained: string;
}

async function seedObjects(world: World, { bucket }: Names): Promise<void> {
  const { s3 } = world.administrator(accounts.development);
  const put = (key: string, body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  await Promise.all([
    put('code/a b&<c>/process.py', 'print(1)'),
    put('data/abalone.csv', '1,2,3'),
    put('evaluation/run-1/evaluation.json', JSON.stringify({ regression_metrics: { mse: { value: 4.8 } } })),
    put('evaluation/run-1/held-out.csv', '1,2,3'),
    put('models/run-1/model.tar.gz', JSON.stringify({ weights: [1, 2, 3] })),
  ]);
  await put('data/abalone.csv', '1,2,4');
  await put('data/gone.csv', '1');
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'data/gone.csv' }));
}

async function seedPackages(world: World, { base, bucket }: Names): Promise<string[]> {
  const { sagemaker } = world.administrator(accounts.development);
  const arns: string[] = [];
  for (const status of ['Approved', 'Rejected', 'Approved'] as const) {
    const { ModelPackageArn } = await sagemaker.send(
      new CreateModelPackageCommand({
        ModelPackageGroupName: base,
        ModelApprovalStatus: 'PendingManualApproval',
        InferenceSpecification: {
          Containers: [{ Image: image, ModelDataUrl: `s3://${bucket}/models/run-1/model.tar.gz` }],
          SupportedContentTypes: ['text/csv'],
          SupportedResponseMIMETypes: ['text/csv'],
        },
        ModelMetrics: {
          ModelQuality: {
            Statistics: { ContentType: 'application/json', S3Uri: `s3://${bucket}/evaluation/run-1/evaluation.json` },
          },
        },
      }),
    );
    await sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn, ModelApprovalStatus: status }));
    arns.push(ModelPackageArn!);
  }
  return arns;
}

export async function startExecution(world: World, { base }: Names): Promise<string> {
  const { sagemaker } = world.administrator(accounts.development);
  const { PipelineExecutionArn } = await sagemaker.send(
    new StartPipelineExecutionCommand({
      PipelineName: base,
      ClientRequestToken: createHash('sha256').update(`${Math.random()}`).digest('hex'),
    }),
  );
  return PipelineExecutionArn!;
}

export async function executionStatus(world: World, arn: string): Promise<string> {
  const { sagemaker } = world.administrator(accounts.development);
  const { PipelineExecutionStatus } = await sagemaker.send(
    new DescribePipelineExecutionCommand({ PipelineExecutionArn: arn }),
  );
  return PipelineExecutionStatus!;
}

async function seedPipeline(world: World, names: Names): Promise<string> {
  const { sagemaker, logs } = world.administrator(accounts.development);
  await sagemaker.send(
    new CreatePipelineCommand({
      PipelineName: names.base,
      ClientRequestToken: 'a'.repeat(32),
      RoleArn: roleOf(names, accounts.development, 'pipeline'),
      Tags: tagsOf(names),
      PipelineDefinition: JSON.stringify({
        Version: '2020-12-01',
        Steps: [
          {
            Name: 'Preprocess',
            Type: 'Processing',
            Arguments: {
              ProcessingResources: {
                ClusterConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 30 },
              },
              AppSpecification: { ImageUri: image, ContainerEntrypoint: ['true'] },
              RoleArn: roleOf(names, accounts.development, 'job'),
            },
          },
        ],
      }),
    }),
  );
  const execution = await startExecution(world, names);
  await until(
    () => executionStatus(world, execution),
    (status) => status === 'Succeeded',
    'the first execution',
  );
  const id = execution.split('/').at(-1);
  for (const group of ['ProcessingJobs', 'TrainingJobs']) {
    const logGroupName = `/aws/sagemaker/${group}`;
    await logs.send(new CreateLogGroupCommand({ logGroupName })).catch(() => undefined);
    for (const stream of [1, 2])
      await logs.send(
        new CreateLogStreamCommand({ logGroupName, logStreamName: `pipelines-${id}-Preprocess-x${stream}/algo-1-1` }),
      );
  }
  return execution;
}

async function seedStage(world: World, names: Names, stage: string, packageArn: string): Promise<void> {
  const { cloudformation } = world.administrator(accounts.development);
  const targets = stageAccounts[stage]!;
  const file = `environment: ${stage}\nregion: ${region}\naccounts: ${JSON.stringify(targets)}\nendpoint: {instance-type: ml.m5.large, instance-count: 1}\n`;
  const definition = buildDefinition({
    project: names,
    stage: parseStage('stage.yml', file),
    stageFile: 'stage.yml',
    packageArn,
    templateFile: 'endpoint.yml',
    templateBody: readFileSync(join(root, 'templates/endpoint.yml'), 'utf8'),
    adminAccount: accounts.development,
    partition: 'aws',
  });
  const StackSetName = definition.name;
  await cloudformation.send(
    new CreateStackSetCommand({
      StackSetName,
      TemplateBody: definition.templateBody,
      Parameters: Object.entries(definition.parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
      Tags: Object.entries(definition.tags).map(([Key, Value]) => ({ Key, Value })),
      AdministrationRoleARN: definition.administrationRoleArn,
      ExecutionRoleName: definition.executionRoleName,
    }),
  );
  const { OperationId } = await cloudformation.send(
    new CreateStackInstancesCommand({
      StackSetName,
      Accounts: targets,
      Regions: [region],
      OperationPreferences: manyAtOnce,
    }),
  );
  const operation = () =>
    cloudformation.send(new DescribeStackSetOperationCommand({ StackSetName, OperationId: OperationId! }));
  const ended = await until(
    operation,
    ({ StackSetOperation: one }) => !['QUEUED', 'RUNNING'].includes(one!.Status!),
    `instances of ${stage}`,
  );
  if (ended.StackSetOperation?.StatusDetails?.FailedStackInstancesCount !== 0)
    throw new Error(`instances of ${stage}: ${JSON.stringify(ended.StackSetOperation)}`);
  for (const account of targets) {
    const { logs } = world.administrator(account);
    const logGroupName = `/aws/sagemaker/Endpoints/${names.base}-${stage}`;
    await logs.send(new CreateLogGroupCommand({ logGroupName })).catch(() => undefined);
    await logs
      .send(new CreateLogStreamCommand({ logGroupName, logStreamName: 'AllTraffic/i-1' }))
      .catch(() => undefined);
  }
}

async function seedRetained(world: World, names: Names): Promise<string> {
  const { sagemaker } = world.administrator(accounts.staging);
  const ModelName = `Model-${createHash('sha256').update(names.base).digest('hex').slice(0, 10)}`;
  await sagemaker.send(
    new CreateModelCommand({
      ModelName,
      ExecutionRoleArn: roleOf(names, accounts.staging, 'model'),
      Containers: [{ Image: image }],
      Tags: tagsOf(names),
    }),
  );
  await sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: ModelName,
      ProductionVariants: [
        { VariantName: 'AllTraffic', ModelName, InstanceType: 'ml.m5.large', InitialInstanceCount: 1 },
      ],
      Tags: tagsOf(names),
    }),
  );
  return ModelName;
}

export interface SeedOptions {
  /** Stages to deploy; none makes the seed a matter of a second. */
  stages?: readonly string[];
}

/** Fills a project's environment: objects, packages, pipeline with an execution and log streams, stages, leftovers. */
export async function seed(
  { world }: Projects,
  names: Names,
  { stages = ['staging', 'production'] }: SeedOptions = {},
): Promise<Seeded> {
  await seedObjects(world, names);
  const [packages, execution] = await Promise.all([seedPackages(world, names), seedPipeline(world, names)]);
  const [first = ''] = packages;
  const [retained] = await Promise.all([
    stages.includes('staging') ? seedRetained(world, names) : '',
    ...stages.map((stage) => seedStage(world, names, stage, first)),
  ]);
  return { packages, execution, retained };
}

/** What an endpoint says to one row: it is there, and serves. */
export async function answers({ world }: Projects, account: string, name: string): Promise<string> {
  const credentials = await world.credentials(account);
  const runtime = new SageMakerRuntimeClient({ region, endpoint: world.url, credentials });
  const { Body } = await runtime.send(
    new InvokeEndpointCommand({ EndpointName: name, ContentType: 'text/csv', Body: Buffer.from('1,1,1') }),
  );
  runtime.destroy();
  return Buffer.from(Body!).toString('utf8');
}
