/** The cleanup bundle as its two jobs run it, with a GitHub that knows who approved. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ActionResult, type ActionRun, runAction } from '../../actions/support/action.ts';
import { root } from '../../actions/support/world.ts';
import { accounts, region } from '../../support/platform.ts';
import { mine, type Projects, roleOf } from './projects.ts';

export interface Approvals {
  url: string;
  /** What GitHub answers; empty: nobody protected the environment. */
  list: { state: string; comment: string; user: { login: string }; environments: { name: string }[] }[];
  close(): Promise<void>;
}

export const approved = {
  state: 'approved',
  comment: '',
  user: { login: 'grace' },
  environments: [{ name: 'cleanup' }],
};

export async function startApprovals(): Promise<Approvals> {
  const approvals: Approvals = { url: '', list: [approved], close: async () => undefined };
  const server: Server = createServer((request, response) => {
    const known = /\/actions\/runs\/\d+\/approvals$/.test(request.url ?? '');
    response
      .writeHead(known ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(known ? approvals.list : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  approvals.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  approvals.close = () => new Promise((resolve) => server.close(() => resolve()));
  return approvals;
}

/** Time for the code under test runs this many times as fast: its waits are long, the world's are not. */
const fast = ['--import', join(root, 'test/actions/support/fast-clock.mjs')];

function common(approvals: Approvals, run: ActionRun): ActionRun {
  return {
    runId: '91001',
    workspace: join(root, 'test/cleanup'),
    nodeOptions: fast,
    ...run,
    env: { FAST_CLOCK: '20', GITHUB_API_URL: approvals.url, ...run.env },
    inputs: {
      'aws-region': region,
      'project-name': mine.name,
      'project-id': mine.id,
      'github-token': 'ghs_test',
      ...run.inputs,
    },
  };
}

export function plan({ world }: Projects, approvals: Approvals, run: ActionRun = {}): Promise<ActionResult> {
  const inputs = { 'role-to-assume': roleOf(mine, accounts.development, 'ci-cleanup-plan'), ...run.inputs };
  return runAction('cleanup', world, common(approvals, { environment: 'cleanup-plan', ...run, inputs }));
}

export function remove({ world }: Projects, approvals: Approvals, run: ActionRun = {}): Promise<ActionResult> {
  const inputs = {
    'role-to-assume': roleOf(mine, accounts.development, 'ci-cleanup'),
    confirm: mine.name,
    ...run.inputs,
  };
  return runAction('cleanup', world, common(approvals, { environment: 'cleanup', ...run, inputs }));
}
