/** Has a person let this environment through in this run? Decided from GitHub's list alone. */
import type { Approval } from '../github/approvals.ts';

export type Verdict =
  | { kind: 'approved'; by: readonly string[]; comment: string }
  | { kind: 'rejected'; by: readonly string[]; comment: string }
  | { kind: 'nobody' };

/**
 * A job that runs behind a protected environment was approved in this attempt, whatever former attempts got; GitHub gives no times, so
 * an approval counts before a refusal here. `refusal` turns that around, for the job that writes a refusal down.
 */
export function judgeApprovals(
  approvals: readonly Approval[],
  environment: string,
  mode: 'check' | 'refusal',
): Verdict {
  // Names of environments do not differ by case on GitHub.
  const mine = approvals.filter(({ environments }) =>
    environments.some((name) => name.toLowerCase() === environment.toLowerCase()),
  );
  const of = (state: Approval['state']) => {
    const chosen = mine.filter((approval) => approval.state === state);
    if (chosen.length === 0) return undefined;
    return {
      kind: state,
      by: [...new Set(chosen.map(({ user }) => user))],
      comment: chosen
        .map(({ comment }) => comment)
        .filter((comment) => comment !== '')
        .join('; '),
    };
  };
  const order = mode === 'check' ? (['approved', 'rejected'] as const) : (['rejected', 'approved'] as const);
  return (of(order[0]) ?? of(order[1]) ?? { kind: 'nobody' }) as Verdict;
}
