import {
  AddTagsCommand,
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  type CreateModelPackageInput,
  DeleteModelPackageCommand,
  DeleteModelPackageGroupCommand,
  DeleteModelPackageGroupPolicyCommand,
  DeleteTagsCommand,
  DescribeModelPackageCommand,
  DescribeModelPackageGroupCommand,
  GetModelPackageGroupPolicyCommand,
  ListModelPackageGroupsCommand,
  ListModelPackagesCommand,
  type ListModelPackagesInput,
  ListTagsCommand,
  PutModelPackageGroupPolicyCommand,
  type SageMakerClient,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { admin, bucket, createWorld, digest, image, region, target, type World } from './support/world.ts';

let world: World;
let sagemaker: SageMakerClient;
const group = 'abalone-p-1';
const groupArn = `arn:aws:sagemaker:${region}:${admin}:model-package-group/${group}`;
const packageArn = (version: number) => `arn:aws:sagemaker:${region}:${admin}:model-package/${group}/${version}`;
const model = `s3://${bucket}/models/a/output/model.tar.gz`;

beforeEach(async () => {
  world = await createWorld();
  sagemaker = world.administrator().sagemaker;
  world.s3.put(model, 'model');
  world.s3.put(`s3://${bucket}/evaluation/e.json`, '{}');
  await sagemaker.send(
    new CreateModelPackageGroupCommand({
      ModelPackageGroupName: group,
      Tags: [{ Key: 'sagemaker:project-name', Value: 'abalone' }],
    }),
  );
});
afterEach(() => world.close());

function specification(more: Partial<CreateModelPackageInput> = {}): CreateModelPackageInput {
  return {
    ModelPackageGroupName: group,
    InferenceSpecification: {
      Containers: [{ Image: image, ModelDataUrl: model }],
      SupportedContentTypes: ['text/csv'],
      SupportedResponseMIMETypes: ['text/csv'],
    },
    ...more,
  };
}
const create = async (more: Partial<CreateModelPackageInput> = {}, client = sagemaker) =>
  (await client.send(new CreateModelPackageCommand(specification(more)))).ModelPackageArn as string;
const describePackage = (arn: string, client = sagemaker) =>
  client.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
const list = async (input: ListModelPackagesInput, client = sagemaker) =>
  (await client.send(new ListModelPackagesCommand(input))).ModelPackageSummaryList ?? [];

describe('model packages', () => {
  it('get the next version, waiting for approval, pinned by digest and ETag', async () => {
    expect(await create()).toBe(packageArn(1));
    expect(await create({ ModelApprovalStatus: 'Approved' })).toBe(packageArn(2));
    const described = await describePackage(packageArn(1));
    expect(described).toMatchObject({
      ModelPackageGroupName: group,
      ModelPackageVersion: 1,
      ModelApprovalStatus: 'PendingManualApproval',
      ModelPackageStatus: 'Completed',
      InferenceSpecification: {
        Containers: [{ ImageDigest: digest, ModelDataETag: expect.stringMatching(/^[0-9a-f]{32}$/) }],
      },
      CreatedBy: { IamIdentity: { Arn: expect.stringContaining(`:${admin}:assumed-role/`) } },
    });
    expect(described.LastModifiedTime).toBeUndefined();
  });

  it('never reuse a version number', async () => {
    await create();
    await create();
    await sagemaker.send(new DeleteModelPackageCommand({ ModelPackageName: packageArn(2) }));
    expect(await create()).toBe(packageArn(3));
    await expect(describePackage(packageArn(2))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('does not exist'),
    });
  });

  it('are made once for one ClientToken, also when two requests come together', async () => {
    const arns = await Promise.all([create({ ClientToken: 'one' }), create({ ClientToken: 'one' })]);
    expect(arns).toEqual([packageArn(1), packageArn(1)]);
    expect(await create({ ClientToken: 'one' })).toBe(packageArn(1));
    expect(await create({ ClientToken: 'two' })).toBe(packageArn(2));
  });

  it('keep on update what is not sent', async () => {
    const arn = await create({
      ModelPackageDescription: 'first',
      CustomerMetadataProperties: { commit: 'abc', 'gate-run': '1' },
      MetadataProperties: { CommitId: 'abc' },
      ModelCard: { ModelCardStatus: 'Draft', ModelCardContent: '{}' },
      DriftCheckBaselines: {
        ModelQuality: { Statistics: { ContentType: 'application/json', S3Uri: `s3://${bucket}/evaluation/e.json` } },
      },
    });
    const update = (more: object) => sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn: arn, ...more }));
    await update({ ModelApprovalStatus: 'Approved', ApprovalDescription: 'mse 4.821, limit 6.0' });
    await update({ ModelLifeCycle: { Stage: 'Staging', StageStatus: 'InProgress' } });
    await update({ CustomerMetadataProperties: { 'gate-commit': 'def', commit: 'def' } });
    await update({ CustomerMetadataPropertiesToRemove: ['gate-run'] });
    await update({ ModelCard: { ModelCardStatus: 'Approved' } });
    const described = await describePackage(arn);
    expect(described).toMatchObject({
      ModelPackageDescription: 'first',
      ModelApprovalStatus: 'Approved',
      ApprovalDescription: 'mse 4.821, limit 6.0',
      ModelLifeCycle: { Stage: 'Staging', StageStatus: 'InProgress' },
      MetadataProperties: { CommitId: 'abc' },
      ModelCard: { ModelCardStatus: 'Approved', ModelCardContent: '{}' },
      LastModifiedBy: { IamIdentity: { Arn: expect.any(String) } },
    });
    expect(described.CustomerMetadataProperties).toEqual({ commit: 'def', 'gate-commit': 'def' });
    expect(described.DriftCheckBaselines?.ModelQuality?.Statistics?.S3Uri).toBeDefined();
  });

  it('announce every change', async () => {
    const arn = await create();
    await sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn: arn, ModelApprovalStatus: 'Rejected' }));
    const events = world.events.filter((event) => event.detailType === 'SageMaker Model Package State Change');
    expect(events.map((event) => event.detail)).toMatchObject([
      {
        ModelPackageArn: arn,
        ModelPackageGroupName: group,
        ModelPackageVersion: 1,
        ModelApprovalStatus: 'PendingManualApproval',
      },
      { ModelPackageArn: arn, ModelApprovalStatus: 'Rejected', UpdatedModelPackageFields: ['ModelApprovalStatus'] },
    ]);
  });

  it.each<[string, Partial<CreateModelPackageInput>, RegExp]>([
    [
      'an artefact that is not there',
      { InferenceSpecification: { Containers: [{ Image: image, ModelDataUrl: `s3://${bucket}/models/none.tar.gz` }] } },
      /Could not find model data at s3:\/\/artifacts\/models\/none.tar.gz/,
    ],
    [
      'metrics that are not there',
      {
        ModelMetrics: {
          ModelQuality: {
            Statistics: { ContentType: 'application/json', S3Uri: `s3://${bucket}/evaluation/none.json` },
          },
        },
      },
      /Could not find the metrics/,
    ],
    ['a group that is not there', { ModelPackageGroupName: 'other' }, /other does not exist/],
    ['tags on a version', { Tags: [{ Key: 'a', Value: 'b' }] }, /tag its model package group/],
    ['a name and a group', { ModelPackageName: 'x' }, /Exactly one of/],
    [
      'more than 50 properties',
      { CustomerMetadataProperties: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])) },
      /50/,
    ],
  ])('are refused with %s', async (_name, more, message) => {
    await expect(create(more)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
    expect(await create()).toBe(packageArn(1));
  });

  it('are refused by name when they need what is not there', async () => {
    await expect(
      create({ ValidationSpecification: { ValidationRole: `arn:aws:iam::${admin}:role/x`, ValidationProfiles: [] } }),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});

describe('lists of model packages', () => {
  beforeEach(async () => {
    for (let count = 0; count < 12; count++) {
      await create({ ModelApprovalStatus: count % 3 === 0 ? 'Approved' : 'Rejected' });
    }
    const { ModelPackageGroupName: _group, ...unversioned } = specification();
    await sagemaker.send(new CreateModelPackageCommand({ ...unversioned, ModelPackageName: 'single' }));
  });
  const versions = (items: { ModelPackageVersion?: number | undefined }[]) =>
    items.map((item) => item.ModelPackageVersion);

  it('go upwards by default, ten at a time', async () => {
    const first = await sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: group }));
    expect(versions(first.ModelPackageSummaryList ?? [])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const second = await sagemaker.send(
      new ListModelPackagesCommand({ ModelPackageGroupName: group, NextToken: first.NextToken }),
    );
    expect(versions(second.ModelPackageSummaryList ?? [])).toEqual([11, 12]);
    expect(second.NextToken).toBeUndefined();
  });

  it('show unversioned packages when no group is named', async () => {
    expect((await list({})).map((item) => item.ModelPackageName)).toEqual(['single']);
    expect(await list({ ModelPackageType: 'Both', MaxResults: 100 })).toHaveLength(13);
    expect(await list({ ModelPackageType: 'Versioned', MaxResults: 100 })).toHaveLength(12);
  });

  it('filter by approval, name and time', async () => {
    const approved = await list({
      ModelPackageGroupName: group,
      ModelApprovalStatus: 'Approved',
      SortOrder: 'Descending',
    });
    expect(versions(approved)).toEqual([10, 7, 4, 1]);
    expect(await list({ NameContains: 'SING' })).toHaveLength(1);
    expect(await list({ ModelPackageGroupName: group, CreationTimeBefore: new Date(0) })).toEqual([]);
  });

  it('lose and repeat nothing while packages come and go between two pages', async () => {
    const first = await sagemaker.send(
      new ListModelPackagesCommand({ ModelPackageGroupName: group, SortOrder: 'Descending', MaxResults: 5 }),
    );
    await create();
    await create();
    await sagemaker.send(new DeleteModelPackageCommand({ ModelPackageName: packageArn(9) }));
    const second = await list({
      ModelPackageGroupName: group,
      SortOrder: 'Descending',
      MaxResults: 5,
      NextToken: first.NextToken,
    });
    expect(versions(second)).toEqual([7, 6, 5, 4, 3]);
  });

  it('refuse a token that is none', async () => {
    await expect(list({ NextToken: 'abc' })).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('model package groups', () => {
  it('exist once and are only deleted empty', async () => {
    await expect(
      sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: group.toUpperCase() })),
    ).rejects.toThrow('already exists');
    const arn = await create();
    const remove = () => sagemaker.send(new DeleteModelPackageGroupCommand({ ModelPackageGroupName: group }));
    await expect(remove()).rejects.toMatchObject({ name: 'ConflictException' });
    await sagemaker.send(new DeleteModelPackageCommand({ ModelPackageName: arn }));
    await remove();
    await expect(
      sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: group })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
    expect((await sagemaker.send(new ListModelPackageGroupsCommand({}))).ModelPackageGroupSummaryList).toEqual([]);
  });

  it('keep their tags under AddTags and DeleteTags', async () => {
    const tags = async () =>
      (await sagemaker.send(new ListTagsCommand({ ResourceArn: groupArn }))).Tags?.map(
        (tag) => `${tag.Key}=${tag.Value}`,
      );
    await sagemaker.send(
      new AddTagsCommand({
        ResourceArn: groupArn,
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'sagemaker:project-name', Value: 'other' },
        ],
      }),
    );
    expect(await tags()).toEqual(['a=1', 'sagemaker:project-name=other']);
    await sagemaker.send(new DeleteTagsCommand({ ResourceArn: groupArn, TagKeys: ['a', 'missing'] }));
    expect(await tags()).toEqual(['sagemaker:project-name=other']);
    await expect(sagemaker.send(new ListTagsCommand({ ResourceArn: `${groupArn}x` }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: '' }));
    await expect(sagemaker.send(new AddTagsCommand({ ResourceArn: groupArn, Tags: many }))).rejects.toThrow('50 tags');
    expect(await tags()).toHaveLength(1);
  });
});

describe('access from other accounts', () => {
  const policy = (more: object = {}) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Targets',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${target}:root` },
          Action: ['sagemaker:DescribeModelPackage', 'sagemaker:ListModelPackages'],
          Resource: `arn:aws:sagemaker:${region}:${admin}:model-package/${group}/*`,
          ...more,
        },
      ],
    });
  const put = (text: string) =>
    sagemaker.send(new PutModelPackageGroupPolicyCommand({ ModelPackageGroupName: group, ResourcePolicy: text }));

  it('needs the policy of the group, and no more than it says', async () => {
    const arn = await create();
    const foreign = world.administrator(target).sagemaker;
    await expect(describePackage(arn, foreign)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await put(policy());
    expect((await describePackage(arn, foreign)).ModelPackageArn).toBe(arn);
    expect(await list({ ModelPackageGroupName: groupArn }, foreign)).toHaveLength(1);
    await expect(
      foreign.send(new UpdateModelPackageCommand({ ModelPackageArn: arn, ModelApprovalStatus: 'Approved' })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(
      foreign.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: groupArn })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await sagemaker.send(new DeleteModelPackageGroupPolicyCommand({ ModelPackageGroupName: group }));
    await expect(describePackage(arn, foreign)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('obeys the conditions of the policy', async () => {
    const arn = await create();
    const reader = await world.createRole(
      target,
      'reader',
      [target],
      [{ Effect: 'Allow', Action: 'sagemaker:*', Resource: '*' }],
    );
    await put(policy({ Condition: { ArnLike: { 'aws:PrincipalArn': reader } } }));
    const as = (role?: string) => world.clients(world.signIn(target, role), region).sagemaker;
    expect((await describePackage(arn, as('reader'))).ModelPackageVersion).toBe(1);
    await expect(describePackage(arn, as())).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('keeps the text of the policy, and refuses a broken one', async () => {
    await put(policy());
    const answer = await sagemaker.send(new GetModelPackageGroupPolicyCommand({ ModelPackageGroupName: group }));
    expect(answer.ResourcePolicy).toBe(policy());
    await expect(put('{}')).rejects.toThrow();
    await expect(put(policy({ Principal: { AWS: `arn:aws:iam::${target}:role/nobody` } }))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('nobody'),
    });
  });
});

describe('who may say what about a model', () => {
  const update = (client: SageMakerClient, arn: string, more: object) =>
    client.send(new UpdateModelPackageCommand({ ModelPackageArn: arn, ...more }));
  const role = async (name: string, statement: object) => {
    await world.createRole(
      admin,
      name,
      [admin],
      [
        { Effect: 'Allow', Resource: '*', ...statement },
        { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
      ],
    );
    return world.clients(world.signIn(admin, name), region).sagemaker;
  };
  const denied = { name: 'AccessDeniedException' };

  it('a registering role can be held to pending packages without a gate record', async () => {
    const client = await role('register', {
      Action: 'sagemaker:CreateModelPackage',
      Condition: {
        StringEquals: { 'sagemaker:ModelApprovalStatus': 'PendingManualApproval' },
        Null: { 'sagemaker:CustomerMetadataProperties/gate-run': 'true', 'sagemaker:ModelLifeCycle:Stage': 'true' },
      },
    });
    const pending = { ModelApprovalStatus: 'PendingManualApproval' } as const;
    await expect(create({ ModelApprovalStatus: 'Approved' }, client)).rejects.toMatchObject(denied);
    await expect(create({}, client)).rejects.toMatchObject(denied);
    await expect(create({ ...pending, CustomerMetadataProperties: { 'gate-run': '1' } }, client)).rejects.toMatchObject(
      denied,
    );
    await expect(
      create({ ...pending, ModelLifeCycle: { Stage: 'Production', StageStatus: 'Approved' } }, client),
    ).rejects.toMatchObject(denied);
    expect(await create({ ...pending, CustomerMetadataProperties: { commit: '1' } }, client)).toBe(packageArn(1));
  });

  it('a deploying role can be held to its stage', async () => {
    const arn = await create();
    const client = await role('deploy', {
      Action: 'sagemaker:UpdateModelPackage',
      Condition: {
        StringEquals: { 'sagemaker:ModelLifeCycle:Stage': 'Staging' },
        Null: { 'sagemaker:ModelApprovalStatus': 'true', 'sagemaker:CustomerMetadataPropertiesToRemove': 'true' },
      },
    });
    const staging = { ModelLifeCycle: { Stage: 'Staging', StageStatus: 'Approved' } };
    await expect(
      update(client, arn, { ModelLifeCycle: { Stage: 'Production', StageStatus: 'Approved' } }),
    ).rejects.toMatchObject(denied);
    await expect(update(client, arn, { ...staging, ModelApprovalStatus: 'Approved' })).rejects.toMatchObject(denied);
    await expect(
      update(client, arn, { ...staging, CustomerMetadataPropertiesToRemove: ['gate-run'] }),
    ).rejects.toMatchObject(denied);
    await expect(update(client, arn, staging)).resolves.toBeDefined();
  });

  it('packages have the tags of their group', async () => {
    const arn = await create();
    const allowed = { Action: ['sagemaker:DescribeModelPackage'] };
    const own = await role('own', {
      ...allowed,
      Condition: { StringEquals: { 'aws:ResourceTag/sagemaker:project-name': 'abalone' } },
    });
    const other = await role('other', {
      ...allowed,
      Condition: { StringEquals: { 'aws:ResourceTag/sagemaker:project-name': 'whales' } },
    });
    expect((await describePackage(arn, own)).ModelPackageArn).toBe(arn);
    await expect(describePackage(arn, other)).rejects.toMatchObject(denied);
  });

  it('the caller must be able to read what it registers', async () => {
    await world.createRole(admin, 'blind', [admin], [{ Effect: 'Allow', Action: 'sagemaker:*', Resource: '*' }]);
    const client = world.clients(world.signIn(admin, 'blind'), region).sagemaker;
    await expect(create({}, client)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('Please ensure that the caller has "s3:GetObject"'),
    });
  });
});
