/** A gated package made over the wire without training, and model servers that compute its linear model in this process. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateModelPackageCommand,
  DescribeModelPackageCommand,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import type { ModelServers, RunningModelServer } from '../../../local/aws/core/context.ts';
import { base, bucket, project, root, type World } from '../../actions/support/world.ts';
import { accounts, region } from '../../support/platform.ts';

export const image = '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1';

/** The archive of a fixture is the JSON of its weights. */
export interface Model {
  weights: number[];
}

export function predict({ weights }: Model, row: string): number {
  return row.split(',').reduce((sum, value, index) => sum + Number(value) * (weights[index] ?? 0), 0);
}

export const heldOutRows = Array.from({ length: 40 }, (_, index) => `${index},${index % 7},${(index * 3) % 5}`);

/** The package's archive, evaluation and registration, as a pipeline would leave them; pending until `approve`. */
export async function registerPackage(world: World, model: Model): Promise<string> {
  const { s3, sagemaker } = world.administrator(accounts.development);
  const name = createHash('sha256').update(JSON.stringify(model)).digest('hex').slice(0, 12);
  const put = (key: string, body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  const evaluation = `evaluation/${name}`;
  await Promise.all([
    put(`models/${name}/model.tar.gz`, JSON.stringify(model)),
    put(`${evaluation}/evaluation.json`, JSON.stringify({ regression_metrics: { mse: { value: 4.8 } } })),
    put(`${evaluation}/held-out.csv`, heldOutRows.join('\n')),
    put(`${evaluation}/predictions.csv`, heldOutRows.map((row) => predict(model, row)).join('\n')),
  ]);
  const { ModelPackageArn } = await sagemaker.send(
    new CreateModelPackageCommand({
      ModelPackageGroupName: base,
      ModelApprovalStatus: 'PendingManualApproval',
      InferenceSpecification: {
        Containers: [{ Image: image, ModelDataUrl: `s3://${bucket}/models/${name}/model.tar.gz` }],
        SupportedContentTypes: ['text/csv'],
        SupportedResponseMIMETypes: ['text/csv'],
      },
      ModelMetrics: {
        ModelQuality: {
          Statistics: { ContentType: 'application/json', S3Uri: `s3://${bucket}/${evaluation}/evaluation.json` },
        },
      },
    }),
  );
  return ModelPackageArn!;
}

/** What gate-model writes, with the archive's real hash. `record: false` is an approval by hand. */
export async function approve(world: World, arn: string, model: Model, record = true): Promise<void> {
  const { sagemaker } = world.administrator(accounts.development);
  const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  const [container] = found.InferenceSpecification?.Containers ?? [];
  await sagemaker.send(
    new UpdateModelPackageCommand({
      ModelPackageArn: arn,
      ModelApprovalStatus: 'Approved',
      ApprovalDescription: 'mse 4.8, limit 6.0',
      ...(record
        ? {
            CustomerMetadataProperties: {
              'gate-run': 'https://github.com/acme/abalone/actions/runs/1',
              'gate-commit': 'c0ffee',
              'gate-rules-sha256': 'a'.repeat(64),
              'gate-artifact-sha256': createHash('sha256').update(JSON.stringify(model)).digest('hex'),
              'gate-artifact-etag': container?.ModelDataETag ?? '0',
              'gate-image-digest': container?.ImageDigest ?? '',
            },
          }
        : {}),
    }),
  );
}

export async function gatedPackage(world: World, model: Model = { weights: [1, 2, 3] }): Promise<string> {
  const arn = await registerPackage(world, model);
  await approve(world, arn, model);
  return arn;
}

export interface LinearServers extends ModelServers {
  running: number;
  /** From now on servers do not come up, so that operations stay under way, until the function is called. */
  hold(): () => void;
  closeAll(): Promise<void>;
}

/** Stands in for the runner's model servers: the archive is really read with the model role's rights. */
export function linearServers(world: World): LinearServers {
  const open = new Set<RunningModelServer>();
  let held: Promise<void> | undefined;
  const servers: LinearServers = {
    running: 0,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    check: () => [],
    async start({ container, credentials, region: where }) {
      const [, from = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(container.modelDataUrl ?? '') ?? [];
      const { s3 } = world.platform.context.clients(await credentials(), where);
      // A real process would hold the clock as well.
      const release = world.platform.context.clock.hold();
      await held;
      release();
      let model: Model;
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: from, Key: key }));
        model = JSON.parse(await Body!.transformToString());
      } catch (error) {
        throw new Error(`Could not access model data at ${container.modelDataUrl}. ${(error as Error).message}`);
      }
      const server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
          const rows = Buffer.concat(chunks).toString('utf8').split('\n');
          response
            .writeHead(200, { 'content-type': 'text/csv' })
            .end(rows.map((row) => predict(model, row)).join('\n'));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.running += 1;
      const running: RunningModelServer = {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        ended: new Promise(() => undefined),
        stop: () =>
          new Promise<void>((resolve) => {
            if (open.delete(running)) servers.running -= 1;
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      };
      open.add(running);
      return running;
    },
    closeAll: async () => {
      await Promise.all([...open].map((server) => server.stop()));
    },
  };
  (world.platform.context as { modelServers: ModelServers }).modelServers = servers;
  return servers;
}

/** A checkout with the seed's stage files filled as `start` fills them; `change` edits a file's text. */
export function stageWorkspace(change: (stage: string, text: string) => string = (_, text) => text): string {
  const workspace = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-stages-'));
  mkdirSync(join(workspace, 'model-deploy/stages'), { recursive: true });
  for (const stage of ['staging', 'production']) {
    const text = readFileSync(join(root, `seed-code/model-deploy/stages/${stage}.yml`), 'utf8')
      .replaceAll('AWS_REGION', region)
      .replaceAll('STAGING_ACCOUNTS', JSON.stringify([accounts.staging]))
      .replaceAll('PRODUCTION_ACCOUNTS', JSON.stringify([accounts.production1, accounts.production2]));
    writeFileSync(join(workspace, `model-deploy/stages/${stage}.yml`), change(stage, text));
  }
  return workspace;
}

/** The inputs of a deploy action for a stage, acting as that stage's job on GitHub. */
export function stageInputs(world: World, stage: string, packageArn: string, more: Record<string, string> = {}) {
  return {
    'aws-region': region,
    'role-to-assume': world.role(`ci-deploy-${stage}`),
    'project-name': project.name,
    'project-id': project.id,
    'model-package-arn': packageArn,
    'stage-file': `model-deploy/stages/${stage}.yml`,
    ...more,
  };
}

export const setName = (stage: string) => `sagemaker-${base}-deploy-${stage}`;
