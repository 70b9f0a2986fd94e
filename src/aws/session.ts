import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Clock } from '../clock.ts';
import {
  assumeByRole,
  assumeByWebIdentity,
  checkKeys,
  isLocal,
  type RenewingCredentials,
  selfRenewing,
  sessionName,
} from './credentials.ts';
import { isAws, translate } from './errors.ts';
import { type Partition, parseArn, partitionOf } from './partition.ts';

/** The part of an SDK command that sending needs; keeps the types of input and answer. */
export interface SdkCommand<Input extends object, Answer extends object> {
  readonly input: Input;
  resolveMiddleware(stack: any, configuration: any, options: any): (parameters: any) => Promise<{ output: Answer }>;
}

export interface SendOptions {
  /** What the call is about; told when it fails. */
  resource?: string;
  signal?: AbortSignal;
  /** Send it once: the call takes no token, so a repetition after a lost answer would do it twice. The caller looks and decides. */
  once?: boolean;
}

/** One AWS service in one account and region. Failures are translated (AwsCallError); credentials renew themselves. */
export interface Service {
  send<Input extends object, Answer extends object>(
    command: SdkCommand<Input, Answer>,
    options?: SendOptions,
  ): Promise<Answer>;
}

interface SdkClient {
  send(command: any, options?: any): Promise<any>;
  destroy(): void;
}

export type ClientClass = new (configuration: any) => SdkClient;

export interface Identity {
  account: string;
  arn: string;
}

/** Who we are in AWS: one account, one region, credentials that renew themselves. */
export interface Aws {
  readonly region: string;
  readonly partition: Partition;
  /** Account and session, asked at most once; fails when the credentials are missing or the role cannot be assumed. */
  identity(): Promise<Identity>;
  /** Cheap: one client per class. */
  service(client: ClientClass): Service;
  /** The same account in another region. */
  inRegion(region: string): Aws;
  /** Another role, assumed with this session's credentials (role chaining: one hour at most, renewed as often as needed). */
  assume(roleArn: string, region?: string): Aws;
}

export interface AwsOptions {
  region: string;
  /** process.env of the action: endpoint. The SDK itself reads ambient keys. */
  env: Readonly<Record<string, string | undefined>>;
  roleToAssume: string | undefined;
  roleChain: readonly string[];
  durationSeconds: number | undefined;
  idToken: () => Promise<string>;
  describeToken: (token: string) => string;
  mask: (secret: string) => void;
  context: { runId: string; runAttempt: number; job: string };
  /** Pairs for the user agent, each allow-listed by `agentPart`. */
  userAgent: readonly (readonly [string, string])[];
  clock: Clock;
}

/** Keeps the user agent to what AWS's own grammar allows, so that nothing a user names can break a header. */
export function agentPart(text: string): string {
  return text.replace(/[^\w!$%&'*+.^`|~-]/g, '-').slice(0, 64);
}

/** Sessions that AWS no longer accepts although they had not expired by our clock. */
const staleCodes = ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'] as const;

/** "DescribePipeline" and "SageMaker" out of a command's schema: class names are gone once the bundle is minified. */
function namesOf(command: unknown): { service: string; operation: string } {
  const schema = (command as { schema?: readonly unknown[] }).schema;
  const namespace = typeof schema?.[1] === 'string' ? schema[1] : '';
  const operation = typeof schema?.[2] === 'string' ? schema[2] : 'a call';
  return { service: namespace.split('.').at(-1) || 'AWS', operation };
}

export function createAws(options: AwsOptions): Aws {
  const { env, context, mask, clock } = options;
  const settings = {
    customUserAgent: options.userAgent.map(([name, value]) => [agentPart(name), agentPart(value)] as [string, string]),
    // Throttling, 5xx and broken connections are repeated with the same token, with jitter; nothing else is.
    maxAttempts: 6,
    // A bucket name in front of a local address would need a wildcard DNS name.
    ...(isLocal(env) ? { forcePathStyle: true } : {}),
    // A server that accepts and then says nothing is given up after a minute of silence; a long upload is not silent.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
  };
  const name = sessionName(context);
  const now = () => clock.now();
  const firstRegion = options.region;

  let credentials: RenewingCredentials;
  if (options.roleToAssume === undefined) {
    const probe = new STSClient({ ...settings, region: firstRegion });
    credentials = selfRenewing(async () => checkKeys(await probe.config.credentials(), env), now);
  } else {
    const roleArn = options.roleToAssume;
    const hop = { roleArn, sessionName: name, region: firstRegion, durationSeconds: options.durationSeconds, settings };
    credentials = selfRenewing(
      async () => checkKeys(await assumeByWebIdentity(hop, options.idToken, options.describeToken, mask), env),
      now,
    );
  }

  function chained(before: RenewingCredentials, roleArn: string, region: string): RenewingCredentials {
    const hop = { roleArn, sessionName: name, region, durationSeconds: options.durationSeconds, settings };
    const next = selfRenewing(async () => checkKeys(await assumeByRole(hop, before, mask), env), now);
    return {
      get: next.get,
      // The session before may be the one that ended.
      forget() {
        before.forget();
        next.forget();
      },
    };
  }
  for (const role of options.roleChain) credentials = chained(credentials, role, firstRegion);

  function open(own: RenewingCredentials, region: string, knownRole: string | undefined): Aws {
    const clients = new Map<string, Map<ClientClass, SdkClient>>();
    let identity: Promise<Identity> | undefined;
    let account = knownRole === undefined ? undefined : parseArn(knownRole)?.account;

    const clientOf = (Client: ClientClass, kind: 'repeating' | 'once'): SdkClient => {
      const ofKind = clients.get(kind) ?? new Map<ClientClass, SdkClient>();
      clients.set(kind, ofKind);
      let client = ofKind.get(Client);
      if (client === undefined) {
        const attempts = kind === 'once' ? { maxAttempts: 1 } : {};
        client = new Client({ ...settings, ...attempts, region, credentials: () => own.get() });
        ofKind.set(Client, client);
      }
      return client;
    };

    const service = (Client: ClientClass): Service => ({
      async send(command, sending = {}) {
        for (let attempt = 1; ; attempt += 1) {
          try {
            const abort = sending.signal === undefined ? {} : { abortSignal: sending.signal };
            return await clientOf(Client, sending.once ? 'once' : 'repeating').send(command, abort);
          } catch (error) {
            sending.signal?.throwIfAborted();
            const failed = translate(error, {
              ...namesOf(command),
              region,
              account,
              ...(sending.resource === undefined ? {} : { resource: sending.resource }),
            });
            if (attempt === 1 && isAws(failed, ...staleCodes)) {
              // Clients remember credentials by themselves, so they go too.
              own.forget();
              for (const ofKind of clients.values()) for (const client of ofKind.values()) client.destroy();
              clients.clear();
              continue;
            }
            throw failed;
          }
        }
      },
    });

    /** A session of a known role needs no call to know itself; getting credentials shows that the role can be assumed. */
    const roleIdentity = async (roleArn: string): Promise<Identity> => {
      await own.get();
      const { partition = 'aws', account: owner = '', resource = '' } = parseArn(roleArn) ?? {};
      return {
        account: owner,
        arn: `arn:${partition}:sts::${owner}:assumed-role/${resource.split('/').at(-1)}/${name}`,
      };
    };
    const callerIdentity = async (): Promise<Identity> => {
      const answer = await service(STSClient).send(new GetCallerIdentityCommand({}));
      account = answer.Account ?? '';
      return { account, arn: answer.Arn ?? '' };
    };

    return {
      region,
      partition: partitionOf(region),
      service,
      identity() {
        identity ??= knownRole === undefined ? callerIdentity() : roleIdentity(knownRole);
        return identity;
      },
      inRegion: (other) => open(own, other, knownRole),
      assume: (roleArn, other = region) => open(chained(own, roleArn, other), other, roleArn),
    };
  }
  return open(credentials, firstRegion, options.roleChain.at(-1) ?? options.roleToAssume);
}
