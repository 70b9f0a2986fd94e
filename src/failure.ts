/**
 * What went wrong, as every action tells it: in the log, in an annotation, in the summary and as JSON in the output `failure`.
 * The codes are a closed list so that a later job can decide by them.
 */
export const failureCodes = [
  // The caller's side: nothing was called yet, or nothing that changes anything.
  'InvalidInput',
  'InvalidConfiguration',
  'InvalidDefinition',
  'InvalidTemplate',
  'CredentialsMissing',
  'WrongCredentials',
  'RoleNotAssumable',
  'WrongRegion',
  // What AWS answered.
  'AccessDenied',
  'NotFound',
  'AlreadyExists',
  'Conflict',
  'Throttled',
  'LimitExceeded',
  'InvalidRequest',
  'NetworkError',
  'ServiceError',
  // Training.
  'StepFailed',
  'ExecutionFailed',
  'ExecutionStopped',
  'ConditionNotMet',
  'NoModel',
  // Registry and approval.
  'PackageNotReady',
  'RuleMissed',
  'EvidenceMissing',
  'RejectedByHand',
  'NotGated',
  'NotApproved',
  'NotProtected',
  'ApprovalRefused',
  'ArtifactChanged',
  // Deployment.
  'NotOwned',
  'NoTargets',
  'RemovalNotConfirmed',
  'OperationFailed',
  'InstanceFailed',
  'VerificationFailed',
  'Superseded',
  'RolledBack',
  // Time and the caller's will.
  'DeadlineExceeded',
  'Cancelled',
  // A mistake of ours.
  'InternalError',
] as const;

export type FailureCode = (typeof failureCodes)[number];

/** The `status` output. The empty text is plain success. */
export const statuses = [
  '',
  'unchanged',
  'none',
  'superseded',
  'still-running',
  'partial',
  'rejected',
  'failed',
] as const;
export type Status = (typeof statuses)[number];

export interface Failure {
  code: FailureCode;
  /** One sentence (or the service's own words): what is wrong. */
  cause: string;
  account?: string;
  region?: string;
  /** ARN, S3 URI, file or the input's name. */
  resource?: string;
  /** Line in the file that `resource` names, from 1. */
  line?: number;
  /** Name inside the thing: step, logical id of a template, metric. */
  logicalId?: string;
  /** What to do about it. */
  hint?: string;
  /** Address of the console page that shows more. */
  console?: string;
  /** Last lines of the failing job's log, oldest first. */
  logTail?: string[];
}

/** An error that an action tells its user without a stack trace; everything else is a defect. */
export class FailureError extends Error {
  readonly failures: readonly Failure[];
  readonly status: Status;

  constructor(failures: Failure | readonly Failure[], status: Status = 'failed', options?: ErrorOptions) {
    const list = Array.isArray(failures) ? (failures as readonly Failure[]) : [failures as Failure];
    super(list.map(sentence).join('\n'), options);
    this.name = 'FailureError';
    this.failures = list;
    this.status = status;
  }
}

function withoutPeriod(text: string): string {
  return text.trim().replace(/[.\s]+$/, '');
}

/** One line for people: cause, where, what to do. */
export function sentence(failure: Failure): string {
  const where = [
    failure.logicalId === undefined ? undefined : failure.logicalId,
    failure.account === undefined ? undefined : `account ${failure.account}`,
    failure.region,
    failure.resource !== undefined && !failure.cause.includes(failure.resource) ? failure.resource : undefined,
  ].filter((part) => part !== undefined);
  const cause = withoutPeriod(failure.cause).replace(/\s*\n\s*/g, ' ');
  const place = where.length > 0 ? ` (${where.join(', ')})` : '';
  return `${cause}${place}.${failure.hint === undefined ? '' : ` ${withoutPeriod(failure.hint)}.`}`;
}
