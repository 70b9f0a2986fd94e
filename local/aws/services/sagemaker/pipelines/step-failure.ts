import type { RetryPolicy } from './definition.ts';

/** Why an attempt of a step failed; `exception` is its class as retry policies name them, absent when none may retry it. */
export class StepFailure extends Error {
  readonly exception: string | undefined;

  constructor(reason: string, exception?: string) {
    super(reason);
    this.name = 'StepFailure';
    this.exception = exception;
  }
}

interface ServiceError {
  name: string;
  message: string;
  $metadata?: { httpStatusCode?: number };
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error;
}

/** A Create call that was refused, with the text in which the service quotes it. */
export function refusedCall(operation: string, error: unknown): StepFailure {
  if (!isServiceError(error))
    return new StepFailure(`ClientError: Failed to invoke sagemaker:${operation}. Error Details: ${error}`);
  const status = error.$metadata?.httpStatusCode ?? 0;
  const exception = /throttl|TooManyRequests/i.test(error.name)
    ? 'Step.THROTTLING'
    : error.name === 'ResourceLimitExceeded'
      ? 'SageMaker.RESOURCE_LIMIT'
      : // An expired session is the service's own affair: the next attempt has a new one.
        (status >= 500 && status !== 501) || /^ExpiredToken/.test(error.name)
        ? 'Step.SERVICE_FAULT'
        : undefined;
  const kind =
    exception === undefined || exception === 'SageMaker.RESOURCE_LIMIT' ? 'ClientError' : 'InternalServerError';
  return new StepFailure(
    `${kind}: Failed to invoke sagemaker:${operation}. Error Details: ${error.message}`,
    exception,
  );
}

/** A job that ended Failed. A script's own error is none of the classes: it is never retried. */
export function failedJob(reason: string): StepFailure {
  const exception = /^CapacityError\b/.test(reason)
    ? 'SageMaker.CAPACITY_ERROR'
    : /^InternalServerError\b/.test(reason)
      ? 'SageMaker.JOB_INTERNAL_ERROR'
      : /^ResourceLimitExceeded\b/.test(reason)
        ? 'SageMaker.RESOURCE_LIMIT'
        : undefined;
  return new StepFailure(reason, exception);
}

/** Faults of the service itself are retried also when the step says nothing about them. */
const byDefault: RetryPolicy = {
  exceptions: ['Step.SERVICE_FAULT', 'Step.THROTTLING'],
  intervalSeconds: 1,
  backoffRate: 2,
  maxAttempts: 3,
  expireAfterMinutes: undefined,
};

/**
 * Milliseconds to wait before the next attempt; undefined when the step has failed for good.
 * `retries` = attempts after the first so far, `elapsed` = milliseconds since the first one.
 */
export function nextAttempt(
  policies: readonly RetryPolicy[],
  exception: string | undefined,
  retries: number,
  elapsed: number,
): number | undefined {
  if (exception === undefined) return undefined;
  const policy = [...policies, byDefault].find((each) => each.exceptions.includes(exception));
  if (policy === undefined) return undefined;
  if (policy.maxAttempts !== undefined && retries >= policy.maxAttempts) return undefined;
  const wait = policy.intervalSeconds * policy.backoffRate ** retries * 1000;
  if (policy.expireAfterMinutes !== undefined && elapsed + wait > policy.expireAfterMinutes * 60_000) return undefined;
  return wait;
}
