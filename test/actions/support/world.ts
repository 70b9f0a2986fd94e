/** A platform with the project's real templates deployed: what a platform engineer has before the first push. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Control } from '../../../cli/control.ts';
import { deployEnvironment } from '../../../cli/environment.ts';
import { createOidcIssuer, type OidcClaims, type OidcIssuer } from '../../../local/github/oidc.ts';
import {
  accounts,
  arrange,
  startTestPlatform,
  type TestPlatform,
  type TestPlatformOptions,
} from '../../support/platform.ts';

export const root = join(import.meta.dirname, '../../..');
export const repository = { owner: 'acme', ownerId: 1001, name: 'abalone', id: 2002, defaultBranch: 'main' };
export const productRepository = 'sagemaker-mlops/sagemaker-mlops';
export const project = {
  name: 'abalone',
  id: `p-${createHash('sha256').update(String(repository.id)).digest('hex').slice(0, 12)}`,
};
export const base = `${project.name}-${project.id}`;
export const bucket = `sm-mlops-cp-${base}`;
export const commit = 'c0ffee'.padEnd(40, '0');

export interface World extends TestPlatform {
  /** Claims that a token of a job carries; tests change them. */
  claims: OidcClaims;
  /** How many ID tokens were minted. */
  minted(): number;
  /** ARN of one of the project's roles in the development account. */
  role(suffix: string): string;
}

export interface WorldOptions extends TestPlatformOptions {
  /** Leave the account empty. */
  bare?: boolean;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const state: { issuer?: OidcIssuer; minted: number } = { minted: 0 };
  const claims: OidcClaims = {
    owner: repository.owner,
    ownerId: repository.ownerId,
    repository: repository.name,
    repositoryId: repository.id,
    ref: 'refs/heads/main',
    sha: commit,
    eventName: 'push',
    runId: 77001,
    runNumber: 1,
    runAttempt: 1,
    actor: 'ada',
    actorId: 3003,
    workflow: 'Model',
    workflowRef: 'acme/abalone/.github/workflows/model.yml@refs/heads/main',
    workflowSha: commit,
    jobWorkflowRef: '',
    jobWorkflowSha: '0123456789abcdef0123456789abcdef01234567',
  };
  const files: Record<string, string> = {
    build: 'model-build.yml',
    'model-approval': 'model-gate.yml',
    staging: 'deploy-stage.yml',
    production: 'deploy-stage.yml',
    'model-record': 'deploy-stage.yml',
    'cleanup-plan': 'model-cleanup.yml',
    cleanup: 'model-cleanup.yml',
  };
  const github = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://local');
    if (!url.pathname.endsWith('/oidc/token') || request.headers.authorization !== 'Bearer runner') {
      response.writeHead(404).end('{}');
      return;
    }
    state.minted += 1;
    const environment = url.searchParams.get('environment') ?? '';
    const value = await state.issuer!.sign({
      ...claims,
      environment,
      jobWorkflowRef:
        claims.jobWorkflowRef ||
        `${productRepository}/.github/workflows/${files[environment] ?? 'none.yml'}@refs/heads/main`,
      audience: url.searchParams.get('audience') ?? '',
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ value }));
  };
  const platform = await startTestPlatform({ python: true, github, ...options });
  state.issuer = createOidcIssuer({ clock: platform.platform.context.clock });
  const { issuer } = state;
  await arrange(platform, async () => {
    await platform.control('POST', 'oidc', { issuer: issuer.issuer, jwks: await issuer.jwks() });
    if (options.bare === true) return;
    await deployEnvironment(new Control({ port: platform.platform.port, token: platform.token } as any), {
      templates: join(root, 'templates'),
      region: platform.platform.context.world.region,
      project,
      repository,
      productRepository,
      accounts: platform.platform.context.world.accounts,
    });
  });
  return Object.assign(platform, {
    claims,
    minted: () => state.minted,
    role: (suffix: string) => `arn:aws:iam::${accounts.development}:role/sagemaker-${base}-${suffix}`,
  });
}
