import type { ReviewDecision, ReviewRequest } from '../local/github/types.ts';
import type { Terminal } from './terminal.ts';

/**
 * The local reviewer of a protected environment: asks at the terminal; with --yes, or where nobody can be asked, approves
 * and says so.
 */
export function createReviewer(terminal: Terminal, yes: boolean): (request: ReviewRequest) => Promise<ReviewDecision> {
  return async ({ environment, reviewers, job }) => {
    const user = reviewers[0] ?? 'local-reviewer';
    if (yes || !terminal.interactive) {
      return {
        state: 'approved',
        user,
        comment: yes
          ? 'approved by the local reviewer (--yes)'
          : 'approved by the local reviewer (no terminal to ask at)',
      };
    }
    const { confirm, isCancel } = await import('@clack/prompts');
    const answer = await confirm({ message: `Approve ${job.name} for the environment ${environment}, as ${user}?` });
    return answer === true && !isCancel(answer)
      ? { state: 'approved', user, comment: 'approved at the terminal' }
      : { state: 'rejected', user, comment: 'refused at the terminal' };
  };
}
