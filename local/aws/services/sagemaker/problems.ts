import { AwsError } from '../../core/errors.ts';

/** SageMaker's answer to most wrong input, missing models, endpoints and packages included. */
export function validationError(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** Pipelines, executions and jobs have a not-found error of their own. */
export function resourceNotFound(message: string): AwsError {
  return new AwsError('ResourceNotFound', message);
}

export function conflict(message: string): AwsError {
  return new AwsError('ConflictException', message);
}

export function resourceInUse(message: string): AwsError {
  return new AwsError('ResourceInUse', message);
}

/** The text of an error as a service quotes it in a FailureReason. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Cuts a text to the length that the API allows for it. */
export function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
