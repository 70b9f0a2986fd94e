/**
 * SageMaker behind the real front, IAM and wire, with jobs, model servers and S3 that the test controls: no Python,
 * everything in this process, yet every call is signed, authorised and logged.
 */
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { HttpResponse } from '@smithy/protocol-http';
import type { ClockMode } from '../../../local/aws/core/clock.ts';
import type { ClientSet, Credentials, PlatformContext, PlatformEvent } from '../../../local/aws/core/context.ts';
import { createClock } from '../../../local/aws/core/platform-clock.ts';
import type { PolicyDocument } from '../../../local/aws/core/policy.ts';
import type { Service } from '../../../local/aws/core/service.ts';
import { defaultWorld } from '../../../local/aws/core/world.ts';
import { CallLog } from '../../../local/aws/front/call-log.ts';
import { createClients } from '../../../local/aws/front/client-set.ts';
import { Faults } from '../../../local/aws/front/faults.ts';
import { createFront, type Front } from '../../../local/aws/front/front.ts';
import { createIdentity } from '../../../local/aws/iam/index.ts';
import { createSageMaker } from '../../../local/aws/services/sagemaker/index.ts';
import { createFakeJobs } from './fake-jobs.ts';
import { createFakeModelServers } from './fake-model-servers.ts';
import { createMemoryS3 } from './memory-s3.ts';

export const admin = '111122223333';
export const target = '444455556666';
export const region = 'eu-west-1';
export const bucket = 'artifacts';
export const image = '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0';
export const digest = `sha256:${'a'.repeat(64)}`;
export const token = 'a-client-request-token-of-32-chars';
export const pipelineRole = `arn:aws:iam::${admin}:role/pipeline`;
export const jobRole = `arn:aws:iam::${admin}:role/job`;

export type World = Awaited<ReturnType<typeof createWorld>>;

export async function createWorld(options: { clock?: ClockMode } = {}) {
  const clock = createClock(options.clock ?? { mode: 'at-once' });
  const identity = createIdentity({
    world: defaultWorld,
    clock,
    logger: { debug() {}, info() {}, warn() {} },
  });
  await identity.seed();
  const s3 = createMemoryS3();
  const jobs = createFakeJobs();
  const modelServers = createFakeModelServers();
  const faults = new Faults();
  const log = new CallLog();
  const events: PlatformEvent[] = [];
  const warnings: string[] = [];
  const durations = new Map<string, number>();
  const closing = new AbortController();
  const services: Service[] = [...identity.services];
  const logger = { debug() {}, info() {}, warn: (line: string) => warnings.push(line) };
  const front: Front = createFront({
    services: () => services,
    s3: () => s3.service,
    sessions: identity.sessions,
    authorizer: identity.authorizer,
    clock,
    faults,
    log,
    logger,
    enforcement: () => 'enforce',
    signal: closing.signal,
  });
  const clients = createClients(() => front, clock);
  const context: PlatformContext = {
    world: defaultWorld,
    clock,
    logger,
    signal: closing.signal,
    sessions: identity.sessions,
    roles: identity.roles,
    authorizer: identity.authorizer,
    clients,
    emit: (event) => events.push(event),
    imageDigest: (uri) => (uri === image ? digest : undefined),
    jobs,
    modelServers,
    takeFault: (kind, call) => faults.takeForService(kind, call),
    virtualDuration: (call) => durations.get(call.operation) ?? 0,
  };
  services.push(...createSageMaker(context));

  const signIn = (account: string, role?: string): Credentials =>
    identity.signIn({ account, ...(role === undefined ? {} : { role }) }).credentials;
  const administrator = (account = admin): ClientSet =>
    clients(identity.signIn({ account, lifetimeSeconds: 12 * 3600 }).credentials, region);

  async function createRole(account: string, name: string, trust: string[], statements: object[]): Promise<string> {
    const { iam } = administrator(account);
    const { CreateRoleCommand, PutRolePolicyCommand } = createRequire(import.meta.url)(
      '@aws-sdk/client-iam',
    ) as typeof import('@aws-sdk/client-iam');
    const principals = trust.map((each) =>
      /amazonaws\.com$/.test(each)
        ? { Service: each }
        : { AWS: each.length === 12 ? `arn:aws:iam::${each}:root` : each },
    );
    const answer = await iam.send(
      new CreateRoleCommand({
        RoleName: name,
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: principals.map((Principal) => ({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' })),
        }),
      }),
    );
    if (statements.length > 0) {
      await iam.send(
        new PutRolePolicyCommand({
          RoleName: name,
          PolicyName: 'p',
          PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: statements }),
        }),
      );
    }
    return answer.Role?.Arn ?? '';
  }

  function runtime(credentials: Credentials): SageMakerRuntimeClient {
    return new SageMakerRuntimeClient({
      region,
      credentials,
      endpoint: 'http://127.0.0.1',
      requestHandler: {
        async handle(request: any) {
          const headers = Object.fromEntries(
            Object.entries(request.headers as Record<string, string>).map(([name, value]) => [
              name.toLowerCase(),
              value,
            ]),
          );
          const answer = await front.handle({
            method: request.method,
            path: request.path,
            query: '',
            headers,
            body: request.body === undefined ? new Uint8Array() : Buffer.from(request.body),
          });
          return {
            response: new HttpResponse({
              statusCode: answer.status,
              headers: answer.headers,
              body: answer.body instanceof Readable ? answer.body : Readable.from([Buffer.from(answer.body ?? '')]),
            }),
          };
        },
      } as any,
    });
  }

  s3.createBucket(bucket, admin);
  return {
    clock,
    s3,
    jobs,
    modelServers,
    faults,
    log,
    events,
    warnings,
    durations,
    clients,
    context,
    administrator,
    signIn,
    createRole,
    runtime,
    /** The account's pipeline and job roles with what a pipeline needs. */
    async createRoles(): Promise<void> {
      const trust = ['sagemaker.amazonaws.com', admin];
      await createRole(admin, 'job', trust, [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]);
      await createRole(admin, 'pipeline', trust, [
        { Effect: 'Allow', Action: ['sagemaker:*', 's3:GetObject', 's3:ListBucket'], Resource: '*' },
        { Effect: 'Allow', Action: 'iam:PassRole', Resource: jobRole },
      ]);
    },
    async setBucketPolicy(policy: PolicyDocument): Promise<void> {
      s3.createBucket(bucket, admin, policy);
    },
    async close(): Promise<void> {
      closing.abort(new Error('closed'));
      clock.close();
      await modelServers.closeAll();
    },
  };
}
