import { randomUUID } from 'node:crypto';
import { AwsError } from '../../../core/errors.ts';
import { messageOf } from '../errors.ts';

/** Thrown into whatever still runs when another resource of the stack has failed or the user cancelled. */
export class CancelledError extends Error {
  override readonly name = 'Cancelled';
}

/** HandlerErrorCode of CloudFormation's resource provider contract, by the service's error code. */
function handlerErrorCode(name: string, message: string): string {
  if (/AccessDenied|Unauthorized|NotAuthorized/i.test(name)) return 'AccessDenied';
  if (/AlreadyExists|AlreadyOwned|EntityAlreadyExists|ResourceInUse|already exist/i.test(`${name} ${message}`)) {
    return 'AlreadyExists';
  }
  if (name === 'NotStabilized') return 'NotStabilized';
  if (/NoSuch|NotFound|could not find/i.test(`${name} ${message}`)) return 'NotFound';
  if (/Throttl|TooManyRequests/i.test(name)) return 'Throttling';
  if (/LimitExceeded|ServiceQuota/i.test(name)) return 'ServiceLimitExceeded';
  if (/Conflict/i.test(name)) return 'ResourceConflict';
  if (/Validation|Invalid|Malformed/i.test(name)) return 'InvalidRequest';
  return 'GeneralServiceException';
}

interface ServiceError extends Error {
  $service?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
}

/** The status reason of a resource, in CloudFormation's form. */
export function failureReason(error: unknown): string {
  if (error instanceof CancelledError) return error.message;
  if (error instanceof PlainFailure) return error.message;
  // Errors of the template's own evaluation come from no handler.
  if (error instanceof AwsError) return error.message;
  const message = messageOf(error);
  if (!(error instanceof Error)) return message;
  const { $metadata } = error as ServiceError;
  const service =
    $metadata?.httpStatusCode === undefined
      ? ''
      : ` (Status Code: ${$metadata.httpStatusCode}, Error Code: ${error.name}, Request ID: ${$metadata.requestId ?? 'unknown'})`;
  return `Resource handler returned message: "${message}${service}" (RequestToken: ${randomUUID()}, HandlerErrorCode: ${handlerErrorCode(error.name, message)})`;
}

/** A failure whose text stands for itself (validation of properties, unsupported types, injected faults). */
export class PlainFailure extends Error {
  override readonly name = 'PlainFailure';
}
