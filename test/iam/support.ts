import type { Clock } from '../../local/aws/core/clock.ts';
import type { AuthorizationDecision } from '../../local/aws/core/context.ts';
import type { PolicyDocument, PolicyStatement } from '../../local/aws/core/policy.ts';
import type { AuthorizationRequest, Call, Principal } from '../../local/aws/core/service.ts';
import { defaultWorld } from '../../local/aws/core/world.ts';
import { createIdentity, type Identity } from '../../local/aws/iam/index.ts';

export const admin = '111122223333';
export const staging = '444455556666';
export const production = '777788889999';

export const githubProvider = `arn:aws:iam::${admin}:oidc-provider/token.actions.githubusercontent.com`;

/** A clock that stands still until a test moves it. */
export function standingClock(start = '2026-11-24T12:00:00Z'): Clock & { move(milliseconds: number): void } {
  let now = Date.parse(start);
  const unused = () => {
    throw new Error('Identity does not wait.');
  };
  return {
    mode: 'by-hand',
    now: () => new Date(now),
    sleep: unused,
    hold: unused,
    advance: unused,
    advanceToNext: unused,
    move: (milliseconds) => {
      now += milliseconds;
    },
  };
}

export interface Bench {
  identity: Identity;
  clock: ReturnType<typeof standingClock>;
  /** A call as the front would describe it. */
  call(principal: Principal, more?: Partial<Call>): Call;
  administrator(account?: string): Principal;
  /** Runs an operation as the front does: authorise, then handle. Throws AwsError. */
  run(operation: string, input: object, principal?: Principal): Promise<any>;
}

/** IAM and STS alone, without wire. */
export function createBench(options: { organization?: boolean } = {}): Bench {
  const clock = standingClock();
  const silent = { debug: () => {}, info: () => {}, warn: () => {} };
  const organization = {
    id: 'o-exampleorg1',
    path: (account: string) => `o-exampleorg1/r-abcd/ou-abcd-${account === admin ? 'tooling1' : 'workload'}/`,
  };
  const identity = createIdentity({
    world: structuredClone(defaultWorld),
    clock,
    logger: silent,
    ...(options.organization ? { organization } : {}),
  });
  identity.seed();
  const call = (principal: Principal, more: Partial<Call> = {}): Call => ({
    seq: 1,
    at: clock.now(),
    account: principal.account || admin,
    region: 'eu-west-1',
    partition: 'aws',
    service: 'iam',
    operation: '',
    principal,
    userAgent: 'test',
    ...more,
  });
  const administrator = (account = admin) => identity.signIn({ account }).principal;
  return {
    identity,
    clock,
    call,
    administrator,
    async run(name, input, principal = administrator()) {
      const [service, operation] = name.split(':') as [string, string];
      const found = identity.services.find(({ id }) => id === service)?.operations[operation];
      if (found === undefined) throw new Error(`There is no ${name}.`);
      const described = call(principal, { service, operation });
      for (const request of await found.authorize(input, described)) {
        const { decision, message } = identity.authorizer.decide(principal, request, described);
        if (decision !== 'allow') throw Object.assign(new Error(message), { code: 'AccessDenied', status: 403 });
      }
      return await found.handle(input, described);
    },
  };
}

export const anonymous: Principal = { kind: 'anonymous', account: '', arn: '', userId: '' };

export const allowAll: PolicyStatement = { Effect: 'Allow', Action: '*', Resource: '*' };

export const policy = (...statements: PolicyStatement[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: statements,
});

/** One question to the evaluator, with everything that bears on its answer. */
export interface Scenario {
  /** `role` (default): a session of the role `caller` in `account`. */
  caller?: {
    kind?: 'role' | 'service' | 'anonymous';
    account?: string;
    sessionName?: string;
    service?: string;
    sessionTags?: Record<string, string>;
    roleTags?: Record<string, string>;
    sourceIdentity?: string;
    viaService?: string;
  };
  identity?: PolicyStatement[];
  /** The version of the identity policy's language. */
  version?: '2012-10-17' | '2008-10-17';
  boundary?: PolicyStatement[];
  session?: PolicyStatement[];
  action: string;
  resource: string;
  resourcePolicy?: PolicyStatement[];
  resourceAccount?: string;
  resourcePolicyRequired?: boolean;
  context?: NonNullable<AuthorizationRequest['context']>;
  resourceTags?: Record<string, string>;
  requestTags?: Record<string, string>;
  region?: string;
}

export const callerRole = 'caller';

/** Makes the scenario's role in IAM, starts its session and asks the authorizer. */
export async function decideScenario(scenario: Scenario): Promise<AuthorizationDecision> {
  const bench = createBench({ organization: true });
  const { kind = 'role', account = admin, sessionName = 'session', service = '', viaService } = scenario.caller ?? {};
  let principal: Principal;
  if (kind === 'service') principal = { kind: 'service', account: '', arn: service, userId: service };
  else if (kind === 'anonymous') principal = anonymous;
  else {
    const administrator = bench.administrator(account);
    const trust = policy({ Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' });
    await bench.run(
      'iam:CreateRole',
      {
        RoleName: callerRole,
        AssumeRolePolicyDocument: JSON.stringify(trust),
        Tags: tagList(scenario.caller?.roleTags),
      },
      administrator,
    );
    if (scenario.identity !== undefined) {
      const document = { Version: scenario.version ?? '2012-10-17', Statement: scenario.identity };
      await bench.run(
        'iam:PutRolePolicy',
        { RoleName: callerRole, PolicyName: 'inline', PolicyDocument: JSON.stringify(document) },
        administrator,
      );
    }
    if (scenario.boundary !== undefined) {
      const { Policy } = await bench.run(
        'iam:CreatePolicy',
        { PolicyName: 'boundary', PolicyDocument: JSON.stringify(policy(...scenario.boundary)) },
        administrator,
      );
      await bench.run(
        'iam:PutRolePermissionsBoundary',
        { RoleName: callerRole, PermissionsBoundary: Policy.Arn },
        administrator,
      );
    }
    const { principal: session } = bench.identity.signIn({ account, role: callerRole, sessionName });
    const { sessionTags, sourceIdentity } = scenario.caller ?? {};
    principal = {
      ...session,
      ...(sessionTags === undefined ? {} : { sessionTags }),
      ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
      ...(viaService === undefined ? {} : { viaService }),
      ...(scenario.session === undefined ? {} : { sessionPolicy: policy(...scenario.session) }),
    };
  }
  const { resourcePolicy, resourceAccount, context, resourceTags, requestTags } = scenario;
  return bench.identity.authorizer.decide(
    principal,
    {
      action: scenario.action,
      resources: [scenario.resource],
      ...(resourcePolicy === undefined ? {} : { resourcePolicy: policy(...resourcePolicy) }),
      ...(resourceAccount === undefined ? {} : { resourceAccount }),
      ...(context === undefined ? {} : { context }),
      ...(resourceTags === undefined ? {} : { resourceTags }),
      ...(requestTags === undefined ? {} : { requestTags }),
      resourcePolicyRequired: scenario.resourcePolicyRequired ?? false,
    },
    bench.call(principal, { region: scenario.region ?? 'eu-west-1' }),
  );
}

const tagList = (tags: Record<string, string> = {}) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** A copy of a value with one member replaced, by a path such as `identity.0.Action`; undefined removes it. */
export function withMember<T>(value: T, path: string, member: unknown): T {
  const copy = structuredClone(value) as any;
  const keys = path.split('/');
  const last = keys.pop()!;
  let at = copy;
  for (const key of keys) at = at[key] ??= {};
  if (member === undefined) delete at[last];
  else at[last] = member;
  return copy;
}
