import { AwsError } from '../../core/errors.ts';
import type { Principal } from '../../core/service.ts';
import type { Role } from '../store.ts';

/** The principal of a new session of a role. */
export function principalOf(
  role: Role,
  sessionName: string,
  more: Partial<
    Pick<
      Principal,
      'sessionTags' | 'transitiveTagKeys' | 'sourceIdentity' | 'sessionPolicy' | 'chained' | 'federatedProvider'
    >
  > = {},
): Principal {
  const partition = role.arn.split(':')[1];
  return {
    kind: 'assumed-role',
    account: role.account,
    arn: `arn:${partition}:sts::${role.account}:assumed-role/${role.name}/${sessionName}`,
    roleArn: role.arn,
    roleName: role.name,
    sessionName,
    userId: `${role.id}:${sessionName}`,
    ...more,
  };
}

/** Length and pattern of STS's API model. Throws ValidationError in the words of the query services. */
export function checkText(member: string, value: string, pattern: RegExp, minimum: number, maximum: number): void {
  const fail = (constraint: string) =>
    new AwsError(
      'ValidationError',
      `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`,
    );
  if (value.length < minimum) throw fail(`Member must have length greater than or equal to ${minimum}`);
  if (value.length > maximum) throw fail(`Member must have length less than or equal to ${maximum}`);
  if (!pattern.test(value))
    throw fail(`Member must satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`);
}

export const sessionNamePattern = /^[\w+=,.@-]*$/;

/** Throws ValidationError for a lifetime outside of 900 s to what the role, or role chaining, allows. */
export function lifetimeOf(duration: number | undefined, role: Role, chained: boolean): number {
  // Without a wish a session takes an hour, which every role allows.
  const seconds = duration ?? 3600;
  if (seconds < 900 || seconds > 43_200) {
    const [word, bound] = seconds < 900 ? ['greater', 900] : ['less', 43_200];
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${word} than or equal to ${bound}`,
    );
  }
  if (chained && seconds > 3600) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (seconds > role.maxSessionDuration) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }
  return seconds;
}
