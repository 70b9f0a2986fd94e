/** Builds one world: everything that a reset throws away. */
import { join } from 'node:path';
import type { ClientSet, JobRunner, Logger, ModelServers, PlatformContext } from '../core/context.ts';
import { NotImplementedError } from '../core/errors.ts';
import { createClock } from '../core/platform-clock.ts';
import type { Service } from '../core/service.ts';
import type { World } from '../core/world.ts';
import { CallLog, glob } from '../front/call-log.ts';
import { createClients } from '../front/client-set.ts';
import { Faults } from '../front/faults.ts';
import { createFront, type Front } from '../front/front.ts';
import { whyDisabled } from '../front/regions.ts';
import { createMoto } from '../moto/process.ts';
import { createS3 } from '../moto/s3.ts';
import { BucketStore } from '../policies/bucket-store.ts';
import { createEcr, createLogs, createSsm } from '../policies/kept-by-moto.ts';
import { KeyStore } from '../policies/key-store.ts';
import { createKms } from '../policies/kms.ts';
import { OrganizationTree } from '../services/organizations/tree.ts';
import { type Controlled, Durations, EventLog } from './control.ts';

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
  /** Every service that the front serves by schema. */
  services: readonly Service[];
  administrator(account: string, region: string): ClientSet;
  motoPid(): number | undefined;
  close(): Promise<void>;
}

/** Longer than any arrangement of a test or of `start` takes. */
const administratorSeconds = 12 * 3600;

/** Puts a platform together; when that fails, what was opened until then is closed, processes included. */
export async function compose(options: ComposeOptions): Promise<Composition> {
  const opened: { close(): unknown }[] = [];
  try {
    return await assemble(options, opened);
  } catch (error) {
    for (const one of opened.reverse()) await one.close();
    throw error;
  }
}

async function assemble(options: ComposeOptions, opened: { close(): unknown }[]): Promise<Composition> {
  const { logger, python } = options;
  const world: World = { ...options.world, accounts: [...options.world.accounts] };
  const closing = new AbortController();
  const frontClosing = new AbortController();
  const clock = createClock(world.clock, Date.now, () => front.inFlight > 0);
  const faults = new Faults();
  const log = new CallLog();
  const durations = new Durations();
  const events = new EventLog();
  const moto = createMoto({ python, clock, logger });
  opened.push(clock, moto);
  if (options.prewarm && python !== undefined) moto.prewarm();

  const organization = new OrganizationTree(world, clock.now());
  const { createIdentity } = await import('../iam/index.ts');
  const identity = createIdentity({ world, clock, logger, organization });
  await identity.seed();

  const buckets = new BucketStore();
  const keys = new KeyStore();
  const { sessions, authorizer, roles } = identity;
  const services: Service[] = [
    ...identity.services,
    createKms({ keys, moto, authorizer }),
    createSsm(moto),
    createLogs(moto),
    createEcr(moto),
  ];
  const s3 = createS3({ moto, buckets, keys, authorizer });
  const front = createFront({
    services: () => services,
    s3: () => s3,
    sessions,
    authorizer,
    clock,
    faults,
    log,
    logger,
    enforcement: () => options.enforcement,
    signal: frontClosing.signal,
    whyDisabled: (service, region) => whyDisabled(world, service, region),
  });
  const clients = createClients(() => front, clock);
  const runner = await createRunnerOrRefusal(options, clock, clients);
  opened.push(runner);

  const context: PlatformContext = {
    world,
    clock,
    logger,
    signal: closing.signal,
    sessions,
    roles,
    authorizer,
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
  services.push(...(await createServices(context, organization)));

  return {
    context,
    front,
    services,
    motoPid: () => moto.pid,
    administrator: (account, region) =>
      clients(
        identity.signIn({ account, sessionName: 'local', lifetimeSeconds: administratorSeconds }).credentials,
        region,
      ),
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
        organization.join(account, clock.now());
        void identity.seed();
      },
      credentials: ({ account, role, sessionName, durationSeconds }) =>
        identity.signIn({
          account,
          ...(role === undefined ? {} : { role }),
          ...(sessionName === undefined ? {} : { sessionName }),
          ...(durationSeconds === undefined ? {} : { lifetimeSeconds: durationSeconds }),
        }).credentials,
    },
    async close() {
      closing.abort(new Error('The local platform closes.'));
      // Jobs and model servers end first: their last log lines still pass the front.
      await runner.close();
      frontClosing.abort();
      clock.close();
      await moto.close();
    },
  };
}

async function createServices(context: PlatformContext, tree: OrganizationTree): Promise<Service[]> {
  const [{ createSageMaker }, { createCloudFormation }, { createOrganizations }] = await Promise.all([
    import('../services/sagemaker/index.ts'),
    import('../services/cloudformation/index.ts'),
    import('../services/organizations/index.ts'),
  ]);
  return [
    ...createSageMaker(context),
    ...createCloudFormation(context),
    createOrganizations({ tree, clock: context.clock }),
  ];
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
