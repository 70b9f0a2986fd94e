import { AwsError } from '../../core/errors.ts';

/** What CloudFormation answers to a template or request that it cannot accept. */
export function validationError(message: string): AwsError {
  return new AwsError('ValidationError', message);
}

/** The message of anything thrown, for status reasons. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
