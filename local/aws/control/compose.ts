/** Builds one world: everything that a reset throws away. */
import { join } from 'node:path';
import type { ClientSet, Credentials, JobRunner, Logger, ModelServers, PlatformContext } from '../core/context.ts';
import { AwsError, NotImplementedError } from '../core/errors.ts';
import { createClock } from '../core/platform-clock.ts';
import type { Service } from '../core/service.ts';
import type { World } from '../core/world.ts';
import { CallLog, glob } from '../front/call-log.ts';
import { createClients } from '../front/client-set.ts';
import { Faults } from '../front/faults.ts';
import { createFront, type Front } from '../front/front.ts';
import { createMoto } from '../moto/process.ts';
import { type Controlled, type CredentialRequest, Durations, EventLog } from './control.ts';

export interface ComposeOptions {
  world: World;
  stateDirectory: string;
  python: string | undefined;
  logger: Logger;
  endpointUrl: () => string;
  enforcement: 'enforce' | 'observe';
  prewarm: boolean;
}

export interface Composition {
  context: PlatformContext;
  controlled: Controlled;
  front: Front;
  administrator(account: string, region: string): ClientSet;
  motoPid(): number | undefined;
  close(): Promise<void>;
}

const administratorRole = 'OrganizationAccountAccessRole';

export async function compose(options: ComposeOptions): Promise<Composition> {
  const { logger, python } = options;
  const world: World = { ...options.world, accounts: [...options.world.accounts] };
  const closing = new AbortController();
  const clock = createClock(world.clock);
  const faults = new Faults();
  const log = new CallLog();
  const durations = new Durations();
  const events = new EventLog();
  const moto = createMoto({ python, logger });
  if (options.prewarm && python !== undefined) moto.prewarm();

  const { createIdentity } = await import('../iam/index.ts');
  const identity = createIdentity({ world, clock, logger });
  await identity.seed();

  const services: Service[] = [...identity.services];
  const front = createFront({
    services: () => services,
    s3: () => undefined,
    sessions: identity.sessions,
    authorizer: identity.authorizer,
    clock,
    faults,
    log,
    logger,
    enforcement: () => options.enforcement,
  });
  const clients = createClients(() => front);
  const runner = await createRunnerOrRefusal(options, clock, clients);

  const context: PlatformContext = {
    world,
    clock,
    logger,
    signal: closing.signal,
    sessions: identity.sessions,
    roles: identity.roles,
    authorizer: identity.authorizer,
    clients,
    emit: (event) => events.add(event),
    imageDigest: runner.imageDigest,
    jobs: runner.jobs,
    modelServers: runner.modelServers,
    takeFault: (kind, call) => faults.takeForService(kind, call),
    virtualDuration: (call) =>
      durations.seconds(call.operation, (match) =>
        Object.entries(match).every(([name, pattern]) => glob(pattern, call.fields[name] ?? '')),
      ),
  };
  services.push(...(await createServices(context)));

  const issue = ({
    account,
    role = administratorRole,
    sessionName = 'local',
    durationSeconds = 3600,
  }: CredentialRequest) => {
    if (!world.accounts.some(({ id }) => id === account)) {
      throw new AwsError('InvalidAccount', `There is no account ${account} in this world.`, 404);
    }
    return { account, role, sessionName, durationSeconds };
  };
  const administratorCredentials = (account: string, sessionName: string, durationSeconds: number): Credentials =>
    identity.sessions.issue(
      {
        kind: 'assumed-role',
        account,
        arn: `arn:aws:sts::${account}:assumed-role/${administratorRole}/${sessionName}`,
        roleArn: `arn:aws:iam::${account}:role/${administratorRole}`,
        roleName: administratorRole,
        sessionName,
        userId: `AROALOCALADMIN:${sessionName}`,
      },
      durationSeconds,
    ).credentials;

  return {
    context,
    front,
    motoPid: () => moto.pid,
    administrator: (account, region) => clients(administratorCredentials(account, 'local', 12 * 3600), region),
    controlled: {
      world,
      clock,
      faults,
      log,
      durations,
      events,
      setOidcKeys: (issuer, jwks) => identity.setOidcKeys(issuer, jwks as any),
      addAccount(account) {
        world.accounts.push(account);
        void identity.seed();
      },
      async credentials(request) {
        const { account, role, sessionName, durationSeconds } = issue(request);
        if (role === administratorRole) return administratorCredentials(account, sessionName, durationSeconds);
        const { AssumeRoleCommand } = await import('@aws-sdk/client-sts');
        const { sts } = clients(administratorCredentials(account, sessionName, 3600), world.region);
        const answer = await sts.send(
          new AssumeRoleCommand({
            RoleArn: role.startsWith('arn:') ? role : `arn:aws:iam::${account}:role/${role}`,
            RoleSessionName: sessionName,
            DurationSeconds: Math.min(durationSeconds, 3600),
          }),
        );
        const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials!;
        return {
          accessKeyId: AccessKeyId!,
          secretAccessKey: SecretAccessKey!,
          sessionToken: SessionToken!,
          expiration: Expiration!,
        };
      },
    },
    async close() {
      closing.abort(new Error('The local platform closes.'));
      clock.close(new Error('The local platform closes.'));
      await runner.close();
      await moto.close();
    },
  };
}

async function createServices(context: PlatformContext): Promise<Service[]> {
  const made: Service[] = [];
  for (const load of [
    async () => (await import('../services/sagemaker/index.ts')).createSageMaker(context),
    async () => (await import('../services/cloudformation/index.ts')).createCloudFormation(context),
  ]) {
    try {
      made.push(...(await load()));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND' && !/Cannot find module/.test(String(error)))
        throw error;
      context.logger.warn(String(error));
    }
  }
  return made;
}

interface RunnerParts {
  jobs: JobRunner;
  modelServers: ModelServers;
  imageDigest: (uri: string) => string | undefined;
  close(): Promise<void>;
}

async function createRunnerOrRefusal(
  { python, stateDirectory, logger, endpointUrl }: ComposeOptions,
  clock: PlatformContext['clock'],
  clients: PlatformContext['clients'],
): Promise<RunnerParts> {
  if (python === undefined) {
    const reason = 'The Python environment is not set up, so no job or model server can run on this machine.';
    const refuse = () => {
      throw new NotImplementedError('jobs and endpoints without the Python environment');
    };
    return {
      jobs: { check: () => [reason], start: refuse },
      modelServers: { check: () => [reason], start: refuse },
      imageDigest: () => undefined,
      close: async () => {},
    };
  }
  const [{ createRunner }, { imageDigest }] = await Promise.all([
    import('../../runner/index.ts'),
    import('../../runner/images.ts'),
  ]);
  const runner = createRunner({ directory: join(stateDirectory, 'jobs'), python, clock, logger, endpointUrl, clients });
  return { ...runner, imageDigest };
}
