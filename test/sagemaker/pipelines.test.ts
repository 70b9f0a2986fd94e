import {
  CreatePipelineCommand,
  DeletePipelineCommand,
  DescribePipelineCommand,
  ListPipelineExecutionsCommand,
  ListPipelinesCommand,
  ListPipelineVersionsCommand,
  ListTagsCommand,
  type SageMakerClient,
  StartPipelineExecutionCommand,
  UpdatePipelineCommand,
  UpdatePipelineExecutionCommand,
  UpdatePipelineVersionCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gate, processing } from './support/definitions.ts';
import { pipelineClient } from './support/pipelines.ts';
import { admin, bucket, createWorld, pipelineRole, region, token, type World } from './support/world.ts';

let world: World;
let sagemaker: SageMakerClient;
const arn = `arn:aws:sagemaker:${region}:${admin}:pipeline/abalone`;
const simple = (...steps: object[]) => JSON.stringify({ Version: '2020-12-01', Steps: steps });

beforeEach(async () => {
  world = await createWorld();
  await world.createRoles();
  sagemaker = world.administrator().sagemaker;
});
afterEach(() => world.close());

const create = (more: object = {}, client = sagemaker) =>
  client.send(
    new CreatePipelineCommand({
      PipelineName: 'abalone',
      PipelineDefinition: simple(processing('Only')),
      RoleArn: pipelineRole,
      ClientRequestToken: token,
      ...more,
    }),
  );
const describePipeline = (more: object = {}) =>
  sagemaker.send(new DescribePipelineCommand({ PipelineName: 'abalone', ...more }));

describe('a pipeline', () => {
  it('is created once for one token; another token finds the name taken', async () => {
    expect((await create()).PipelineArn).toBe(arn);
    expect((await create()).PipelineArn).toBe(arn);
    await expect(create({ ClientRequestToken: `${token}-2` })).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('already exists'),
    });
    await expect(create({ PipelineName: 'ABALONE', ClientRequestToken: `${token}-2` })).rejects.toThrow(
      'already exists',
    );
  });

  it('is described by name, by ARN and by version', async () => {
    await create({ PipelineDescription: 'first', Tags: [{ Key: 'a', Value: 'b' }] });
    const text = simple(processing('New'));
    const updated = await sagemaker.send(
      new UpdatePipelineCommand({
        PipelineName: 'abalone',
        PipelineDefinition: text,
        ParallelismConfiguration: { MaxParallelExecutionSteps: 4 },
      }),
    );
    expect(updated).toMatchObject({ PipelineArn: arn, PipelineVersionId: 2 });
    expect(await describePipeline({ PipelineName: arn })).toMatchObject({
      PipelineName: 'abalone',
      PipelineDescription: 'first',
      PipelineDefinition: text,
      PipelineStatus: 'Active',
      RoleArn: pipelineRole,
      ParallelismConfiguration: { MaxParallelExecutionSteps: 4 },
      CreatedBy: { IamIdentity: { Arn: expect.stringContaining('assumed-role') } },
    });
    const first = await describePipeline({ PipelineVersionId: 1 });
    expect(first.PipelineDefinition).toBe(simple(processing('Only')));
    await expect(describePipeline({ PipelineVersionId: 3 })).rejects.toMatchObject({ name: 'ResourceNotFound' });
    expect((await sagemaker.send(new ListTagsCommand({ ResourceArn: arn }))).Tags).toEqual([{ Key: 'a', Value: 'b' }]);
  });

  it('keeps the label of each version and which execution ran it last', async () => {
    await create();
    await sagemaker.send(new UpdatePipelineCommand({ PipelineName: 'abalone', PipelineDescription: 'again' }));
    await sagemaker.send(
      new UpdatePipelineVersionCommand({
        PipelineArn: arn,
        PipelineVersionId: 2,
        PipelineVersionDisplayName: 'commit-abc',
        PipelineVersionDescription: 'what was built',
      }),
    );
    const started = await sagemaker.send(
      new StartPipelineExecutionCommand({ PipelineName: 'abalone', ClientRequestToken: token }),
    );
    const { PipelineVersionSummaries } = await sagemaker.send(
      new ListPipelineVersionsCommand({ PipelineName: 'abalone' }),
    );
    expect(PipelineVersionSummaries).toMatchObject([
      {
        PipelineVersionId: 2,
        PipelineVersionDisplayName: 'commit-abc',
        PipelineVersionDescription: 'what was built',
        LastExecutionPipelineExecutionArn: started.PipelineExecutionArn,
      },
      { PipelineVersionId: 1 },
    ]);
    expect(await describePipeline()).toMatchObject({
      PipelineVersionDisplayName: 'commit-abc',
      LastRunTime: expect.any(Date),
    });
  });

  it('takes a definition from S3, read with the role of the pipeline', async () => {
    world.s3.put(`s3://${bucket}/code/pipeline.json`, JSON.stringify(gate()));
    const location = { Bucket: bucket, ObjectKey: 'code/pipeline.json' };
    await create({ PipelineDefinition: undefined, PipelineDefinitionS3Location: location });
    expect(JSON.parse((await describePipeline()).PipelineDefinition ?? '')).toEqual(gate());
    expect(world.log.list({ operation: 's3:GetObject' })[0]?.principal).toContain('assumed-role/pipeline/');
    await expect(
      create({
        PipelineName: 'b',
        PipelineDefinition: undefined,
        PipelineDefinitionS3Location: { ...location, ObjectKey: 'none' },
      }),
    ).rejects.toThrow(`Cannot read the pipeline definition at s3://${bucket}/none`);
    await expect(create({ PipelineName: 'b', PipelineDefinitionS3Location: location })).rejects.toThrow(
      'Exactly one of',
    );
  });

  it('is listed by prefix and page', async () => {
    for (const name of ['b-1', 'a-1', 'b-2'])
      await create({ PipelineName: name, ClientRequestToken: `${token}-${name}` });
    const names = async (input: object) => {
      const answer = await sagemaker.send(new ListPipelinesCommand(input));
      return [answer.PipelineSummaries?.map((pipeline) => pipeline.PipelineName), answer.NextToken] as const;
    };
    expect((await names({ PipelineNamePrefix: 'B', SortBy: 'Name', SortOrder: 'Ascending' }))[0]).toEqual([
      'b-1',
      'b-2',
    ]);
    const [first, next] = await names({ SortBy: 'Name', SortOrder: 'Ascending', MaxResults: 2 });
    expect(first).toEqual(['a-1', 'b-1']);
    expect(await names({ SortBy: 'Name', SortOrder: 'Ascending', MaxResults: 2, NextToken: next })).toEqual([
      ['b-2'],
      undefined,
    ]);
  });

  it('lives in one account and region only', async () => {
    await create();
    const elsewhere = world.clients(world.signIn(admin), 'us-east-1').sagemaker;
    await expect(elsewhere.send(new DescribePipelineCommand({ PipelineName: 'abalone' }))).rejects.toMatchObject({
      name: 'ResourceNotFound',
      message: `Pipeline 'arn:aws:sagemaker:us-east-1:${admin}:pipeline/abalone' does not exist.`,
    });
    const foreign = world.administrator('444455556666').sagemaker;
    await expect(foreign.send(new DescribePipelineCommand({ PipelineName: arn }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });

  it('has executions that can be renamed and listed', async () => {
    await create();
    const client = pipelineClient(world, sagemaker);
    const first = await client.start({}, { PipelineExecutionDisplayName: 'gha-1-g1' });
    await client.finished(first);
    const second = await client.start();
    await client.finished(second);
    await sagemaker.send(
      new UpdatePipelineExecutionCommand({ PipelineExecutionArn: second, PipelineExecutionDisplayName: 'renamed' }),
    );
    const { PipelineExecutionSummaries } = await sagemaker.send(
      new ListPipelineExecutionsCommand({ PipelineName: 'abalone', SortOrder: 'Ascending' }),
    );
    expect(PipelineExecutionSummaries).toMatchObject([
      { PipelineExecutionArn: first, PipelineExecutionDisplayName: 'gha-1-g1', PipelineExecutionStatus: 'Succeeded' },
      { PipelineExecutionArn: second, PipelineExecutionDisplayName: 'renamed' },
    ]);
  });
});

describe('who may do what with a pipeline', () => {
  const as = async (name: string, ...statements: object[]) => {
    await world.createRole(admin, name, [admin], statements);
    return world.clients(world.signIn(admin, name), region).sagemaker;
  };

  it('creating needs PassRole on the role, and AddTags for tags', async () => {
    const allow = (Action: string, Resource: string, more: object = {}) => ({
      Effect: 'Allow',
      Action,
      Resource,
      ...more,
    });
    const bare = await as('bare', allow('sagemaker:CreatePipeline', arn));
    await expect(create({}, bare)).rejects.toThrow(/iam:PassRole on resource: .*role\/pipeline/);
    const passing = await as(
      'passing',
      allow('sagemaker:CreatePipeline', arn),
      allow('iam:PassRole', pipelineRole, {
        Condition: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
      }),
    );
    await expect(create({ Tags: [{ Key: 'a', Value: 'b' }] }, passing)).rejects.toThrow('sagemaker:AddTags');
    expect((await create({}, passing)).PipelineArn).toBe(arn);
  });

  it('a request without tags has no tag keys, one with tags has them for all it touches', async () => {
    const creating = (condition: object) => [
      {
        Effect: 'Allow',
        Action: ['sagemaker:CreatePipeline', 'sagemaker:AddTags'],
        Resource: arn,
        Condition: condition,
      },
      { Effect: 'Allow', Action: 'iam:PassRole', Resource: pipelineRole },
    ];
    const tagged = await as('tagged', ...creating({ StringEquals: { 'aws:RequestTag/project': 'abalone' } }));
    const untagged = await as('untagged', ...creating({ Null: { 'aws:TagKeys': 'true' } }));
    const Tags = [{ Key: 'project', Value: 'abalone' }];
    const denied = { name: 'AccessDeniedException' };
    await expect(create({}, tagged)).rejects.toMatchObject(denied);
    await expect(create({ Tags }, untagged)).rejects.toMatchObject(denied);
    await create({}, untagged);
    await sagemaker.send(new DeletePipelineCommand({ PipelineName: 'abalone', ClientRequestToken: token }));
    expect((await create({ Tags }, tagged)).PipelineArn).toBe(arn);
  });

  it('a role can be held to pipelines with a tag', async () => {
    await create({ Tags: [{ Key: 'project', Value: 'abalone' }] });
    const deleting = (value: string) => ({
      Effect: 'Allow',
      Action: 'sagemaker:DeletePipeline',
      Resource: '*',
      Condition: { StringEquals: { 'aws:ResourceTag/project': value } },
    });
    const remove = (client: SageMakerClient) =>
      client.send(new DeletePipelineCommand({ PipelineName: 'abalone', ClientRequestToken: token }));
    await expect(remove(await as('other', deleting('whales')))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    expect((await remove(await as('own', deleting('abalone')))).PipelineArn).toBe(arn);
  });
});
