import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { FailureError } from '../failure.ts';
import { type CallSite, translate } from './errors.ts';
import { parseArn } from './partition.ts';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}

/** Renewed this long before they expire, so that no call starts with credentials about to end. */
const renewEarly = 5 * 60_000;

/** Key ids of the local platform begin like this; AWS's never do. */
const localPrefix = 'ASIALOCAL';

type Environment = Readonly<Record<string, string | undefined>>;

function isLoopback(endpoint: string): boolean {
  try {
    return /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(endpoint).hostname);
  } catch {
    return false;
  }
}

/** The addresses that the SDK takes from the environment: one for all services, and one per service. */
function endpointsOf(env: Environment): { all: string | undefined; any: string[] } {
  if (env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true') return { all: undefined, any: [] };
  const named = Object.entries(env).filter(([name, value]) => /^AWS_ENDPOINT_URL(_|$)/.test(name) && value);
  return { all: env['AWS_ENDPOINT_URL'] || undefined, any: named.map(([, value]) => value ?? '') };
}

/** True when all services are those of the local platform. */
export function isLocal(env: Environment): boolean {
  const { all, any } = endpointsOf(env);
  return all !== undefined && any.every(isLoopback);
}

/** Keeps the local platform and AWS apart: local keys never go to AWS, real keys never to a local endpoint. */
export function checkKeys(credentials: Credentials, env: Environment): Credentials {
  const local = credentials.accessKeyId.startsWith(localPrefix);
  if (local && !isLocal(env)) {
    throw new FailureError({
      code: 'WrongCredentials',
      resource: 'AWS_ACCESS_KEY_ID',
      cause: 'These credentials come from the local platform, but the calls would go to AWS',
      hint: 'Set AWS_ENDPOINT_URL to the local platform (`sagemaker-mlops env` prints it), or use credentials of AWS',
    });
  }
  if (!local && endpointsOf(env).any.some(isLoopback) && /^A[KS]IA/.test(credentials.accessKeyId)) {
    throw new FailureError({
      code: 'WrongCredentials',
      resource: 'AWS_ENDPOINT_URL',
      cause: 'These are credentials of a real AWS account, but the calls would go to a local address',
      hint: "Unset AWS_ENDPOINT_URL, or use the local platform's own credentials (`sagemaker-mlops env`)",
    });
  }
  return credentials;
}

/** Caches what `fetch` gives until five minutes before it expires; concurrent callers share one fetch. */
export function selfRenewing(fetch: () => Promise<Credentials>, now: () => number = Date.now) {
  let current: Promise<Credentials> | undefined;
  let known: Credentials | undefined;
  return {
    async get(): Promise<Credentials> {
      if (known !== undefined && (known.expiration === undefined || known.expiration.getTime() - now() > renewEarly)) {
        return known;
      }
      current ??= fetch().then(
        (credentials) => {
          known = credentials;
          current = undefined;
          return credentials;
        },
        (error) => {
          current = undefined;
          throw error;
        },
      );
      return current;
    },
    /** The service said that they are no longer good. */
    forget(): void {
      known = undefined;
    },
  };
}

export type RenewingCredentials = ReturnType<typeof selfRenewing>;

/** gha-RUN-ATTEMPT-JOB, as an STS session name (2-64 of [\w+=,.@-]): CloudTrail leads back to the job. */
export function sessionName(context: { runId: string; runAttempt: number; job: string }): string {
  const name = `gha-${context.runId || '0'}-${context.runAttempt}-${context.job || 'job'}`;
  return name.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);
}

export interface RoleHop {
  roleArn: string;
  sessionName: string;
  region: string;
  durationSeconds: number | undefined;
  /** Client settings shared with all other clients (endpoint, user agent). */
  settings: object;
}

function accountOf(roleArn: string): string | undefined {
  return parseArn(roleArn)?.account;
}

function notAssumable(error: unknown, site: CallSite, roleArn: string, hint: string): FailureError {
  const translated = translate(error, site);
  const [failure] = translated.failures;
  if (failure === undefined) return translated;
  const account = accountOf(roleArn);
  // A network problem or throttling says nothing about the role.
  if (!['AccessDenied', 'InvalidRequest', 'NotFound', 'ServiceError'].includes(failure.code)) return translated;
  return new FailureError(
    {
      ...failure,
      code: 'RoleNotAssumable',
      resource: roleArn,
      cause: `The role ${roleArn} cannot be assumed: ${failure.cause}`,
      hint,
      ...(account === undefined ? {} : { account }),
    },
    'failed',
    { cause: error },
  );
}

function fromSts(
  answer: {
    Credentials?:
      | {
          AccessKeyId?: string | undefined;
          SecretAccessKey?: string | undefined;
          SessionToken?: string | undefined;
          Expiration?: Date | undefined;
        }
      | undefined;
  },
  mask: (secret: string) => void,
): Credentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) throw new Error('STS answered without credentials.');
  mask(SecretAccessKey);
  mask(SessionToken);
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...(Expiration === undefined ? {} : { expiration: Expiration }),
  };
}

/** First hop: GitHub's ID token, minted again each time, for a session of the role. */
export async function assumeByWebIdentity(
  hop: RoleHop,
  idToken: () => Promise<string>,
  describeToken: (token: string) => string,
  mask: (secret: string) => void,
): Promise<Credentials> {
  const sts = new STSClient({ ...hop.settings, region: hop.region });
  const token = await idToken();
  try {
    const answer = await sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: hop.roleArn,
        RoleSessionName: hop.sessionName,
        WebIdentityToken: token,
        ...(hop.durationSeconds === undefined ? {} : { DurationSeconds: hop.durationSeconds }),
      }),
    );
    return fromSts(answer, mask);
  } catch (error) {
    throw notAssumable(
      error,
      { service: 'STS', operation: 'AssumeRoleWithWebIdentity', region: hop.region, account: accountOf(hop.roleArn) },
      hop.roleArn,
      `It must exist, and its trust policy must allow this token: ${describeToken(token)}`,
    );
  } finally {
    sts.destroy();
  }
}

/** Further hop: a session of one role becomes a session of the next; AWS caps these at one hour. */
export async function assumeByRole(
  hop: RoleHop,
  credentials: RenewingCredentials,
  mask: (secret: string) => void,
): Promise<Credentials> {
  const sts = new STSClient({ ...hop.settings, region: hop.region, credentials: () => credentials.get() });
  try {
    const answer = await sts.send(
      new AssumeRoleCommand({
        RoleArn: hop.roleArn,
        RoleSessionName: hop.sessionName,
        DurationSeconds: Math.min(hop.durationSeconds ?? 3_600, 3_600),
      }),
    );
    return fromSts(answer, mask);
  } catch (error) {
    throw notAssumable(
      error,
      { service: 'STS', operation: 'AssumeRole', region: hop.region, account: accountOf(hop.roleArn) },
      hop.roleArn,
      'The role must exist and trust the role before it in the chain, which must be allowed sts:AssumeRole on it',
    );
  } finally {
    sts.destroy();
  }
}
