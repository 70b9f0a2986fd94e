import type { DeployRequest } from '../../src/deploy/deploy.ts';
import type { Status } from '../../src/failure.ts';
import { codeSpan, plain, type Summary } from '../../src/github/summary.ts';
import { isCurrent, place, type StackSetState } from '../../src/stacksets/model.ts';
import type { Plan } from '../../src/stacksets/plan.ts';

const rowLimit = 200;

function titleOf(status: Status): string {
  switch (status) {
    case '':
      return 'deployed';
    case 'unchanged':
      return 'nothing to do';
    case 'superseded':
      return 'superseded by a newer package';
    default:
      return 'not finished';
  }
}

/** What was to be done and how every instance stands now. */
export function summarizeDeployment(
  what: {
    request: DeployRequest;
    set: string;
    status: Status;
    plan: Plan | undefined;
    state: StackSetState | undefined;
    operations: readonly string[];
  },
  summary: Summary,
): void {
  const { request, plan, state, operations } = what;
  if (plan === undefined) return;
  summary.heading(`Stage ${plain(request.stage.name)}: ${titleOf(what.status)}`);
  summary.text(`${codeSpan(request.packageArn)} by the stack set ${codeSpan(what.set)}`);
  if (plan.differences.length > 0) summary.text(`Differed: ${plan.differences.map(codeSpan).join(', ')}`);
  const planned = (list: readonly { account: string; region: string }[], word: string) =>
    list.map((target) => [place(target), word] as const);
  const words = new Map([
    ...planned(plan.created, 'create'),
    ...planned(plan.updated, 'update'),
    ...planned(plan.removed, 'remove'),
    ...planned(plan.unchanged, 'unchanged'),
  ]);
  const instances = new Map((state?.instances ?? []).map((instance) => [place(instance), instance]));
  const rows = [...words].slice(0, rowLimit).map(([key, word]) => {
    const [account = '', region = ''] = key.split('/');
    const instance = instances.get(key);
    const now =
      instance === undefined
        ? state === undefined
          ? ''
          : 'gone'
        : isCurrent(instance)
          ? '✅ current'
          : `❌ ${instance.detailedStatus ?? instance.status}`;
    return [account, region, word, now, codeSpan(instance?.stackId ?? '')];
  });
  summary.table(['account', 'region', 'plan', 'now', 'stack'], rows);
  if (words.size > rowLimit) summary.text(`${words.size - rowLimit} more instances are in the output instances.`);
  if (operations.length > 0) summary.text(`Operations: ${operations.map(codeSpan).join(', ')}`);
}
