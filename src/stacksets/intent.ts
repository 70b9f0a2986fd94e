import { canonicalJson, sha256 } from '../aws/token.ts';
import type { Wanted } from './model.ts';
import type { Step } from './plan.ts';

/**
 * SHA-256 over everything that an operation will do. Equal work has an equal intent, whoever asks for it, so a re-run finds
 * the operation that the run before has started.
 */
export function intentOf(step: Step, { definition, region, preferences }: Wanted): string {
  const { name, templateBody, ...rest } = definition;
  return sha256(
    canonicalJson({
      set: name,
      action: step.action,
      templateSha256: sha256(templateBody),
      ...rest,
      accounts: 'accounts' in step ? [...step.accounts].sort() : [],
      region: step.action === 'remove' ? step.region : region,
      ...(step.action === 'remove' && step.retainStacks ? { retainStacks: true } : {}),
      preferences,
    }),
  );
}

/** Operation ids of one run begin alike; the attempt is not part of them. */
export function runPrefix(runId: string): string {
  return `sm-${runId === '' ? '0' : runId}-`;
}

/** At most 128 letters, digits and hyphens, as CloudFormation wants it. `generation` counts up after FAILED and STOPPED. */
export function operationId(runId: string, step: Step, intent: string, generation: number): string {
  return `${runPrefix(runId)}${step.action}-${intent.slice(0, 24)}-g${generation}`;
}
