import { type Failure, type FailureCode, FailureError } from '../failure.ts';

/** An AWS call that failed, told as a failure; the fields let the caller decide (not found, conflict, ...). */
export class AwsCallError extends FailureError {
  /** The service's own code: ResourceNotFound, ValidationException, ... */
  readonly awsCode: string;
  readonly operation: string;
  readonly httpStatus: number | undefined;
  /** The service's own words. */
  readonly awsMessage: string;

  constructor(failure: Failure, awsCode: string, operation: string, httpStatus: number | undefined, cause: unknown) {
    super(failure, 'failed', { cause });
    this.name = 'AwsCallError';
    this.awsCode = awsCode;
    this.operation = operation;
    this.httpStatus = httpStatus;
    this.awsMessage = cause instanceof Error ? cause.message : String(cause);
  }
}

/** True when the error is an AWS answer with one of these codes. */
export function isAws(error: unknown, ...codes: string[]): error is AwsCallError {
  return error instanceof AwsCallError && codes.includes(error.awsCode);
}

/** The answers by which a service says that a thing does not exist. */
export function isNotFound(error: unknown): error is AwsCallError {
  return error instanceof AwsCallError && error.failures[0]?.code === 'NotFound';
}

/** What a code means to the user. Patterns, because services use "X", "XException" and "XFault" for one meaning. */
const meanings: readonly [RegExp, FailureCode, string?][] = [
  [
    /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|Forbidden|403|KMS\.AccessDeniedException)$/,
    'AccessDenied',
  ],
  [
    /^(ExpiredToken|ExpiredTokenException|RequestExpired)$/,
    'WrongCredentials',
    'The session has expired; give `role-to-assume`, so that it is renewed',
  ],
  [
    /^(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException|AuthFailure|MissingAuthenticationToken|IncompleteSignature)$/,
    'WrongCredentials',
    'Check the credentials of this job and that they belong to this partition',
  ],
  [/^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|301)$/, 'WrongRegion'],
  [
    /^(ThrottlingException|Throttling|ThrottledException|TooManyRequestsException|SlowDown|RequestLimitExceeded|PriorRequestNotComplete)$/,
    'Throttled',
    'Re-run this job; it attaches to what was started',
  ],
  [
    /^(ResourceNotFound|ResourceNotFoundException|NotFound|NotFoundException|NoSuch\w+|StackSetNotFoundException|StackInstanceNotFoundException|OperationNotFoundException|404)$/,
    'NotFound',
  ],
  [/^(ResourceInUse|\w*AlreadyExists\w*)$/, 'AlreadyExists'],
  [
    /^(ConflictException|Conflict|OperationInProgressException|StaleRequestException|OperationAbortedException|409)$/,
    'Conflict',
  ],
  [
    /^(ResourceLimitExceeded|LimitExceeded\w*|ServiceQuotaExceededException)$/,
    'LimitExceeded',
    'Ask for a higher quota or remove what is not used any more',
  ],
  [
    /^(ValidationException|ValidationError|InvalidParameter\w*|InvalidRequest\w*|InvalidArgument|MalformedPolicyDocument\w*|BadRequest\w*)$/,
    'InvalidRequest',
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|CERT_\w+|TimeoutError|RequestTimeout|NetworkingError)$/,
    'NetworkError',
  ],
  [/^(NotImplemented|NotImplementedException|501)$/, 'ServiceError'],
];

const notFoundTexts = /does not exist|doesn't exist|could not be found|not found/i;

export interface CallSite {
  service: string;
  operation: string;
  region: string;
  account: string | undefined;
  /** What the call was about, when the service's own answer does not say. */
  resource?: string;
}

interface SdkError {
  name?: string;
  Code?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { headers?: Record<string, string> };
}

/** Translates anything an SDK client throws. Keeps the service's own words as cause; adds where, and what to do when that is known. */
export function translate(error: unknown, site: CallSite): FailureError {
  if (error instanceof FailureError) return error;
  const sdk = error as SdkError;
  const status = sdk.$metadata?.httpStatusCode;
  const generic = sdk.name === undefined || /^(Error|Unknown|UnknownError|AggregateError)$/.test(sdk.name);
  const awsCode =
    (generic ? (sdk.code ?? sdk.Code ?? (status === undefined ? undefined : String(status))) : sdk.name) ?? 'Unknown';
  if (awsCode === 'CredentialsProviderError') {
    return new FailureError(
      {
        code: 'CredentialsMissing',
        region: site.region,
        cause: 'No AWS credentials were found',
        hint: 'Give `role-to-assume` (with `permissions: id-token: write`), or run aws-actions/configure-aws-credentials before this step',
      },
      'failed',
      { cause: error },
    );
  }
  let [, code = 'ServiceError', hint] = meanings.find(([pattern]) => pattern.test(awsCode)) ?? [];
  // Some services answer a missing thing with a validation error.
  if (code === 'InvalidRequest' && notFoundTexts.test(sdk.message ?? '')) code = 'NotFound';
  /** Our own sentence where the service's words would mislead. */
  let told: string | undefined;
  const bucketRegion = sdk.$response?.headers?.['x-amz-bucket-region'];
  if (
    bucketRegion !== undefined &&
    bucketRegion !== site.region &&
    (code === 'WrongRegion' || code === 'ServiceError')
  ) {
    code = 'WrongRegion';
    hint = `Set \`aws-region\` to ${bucketRegion}`;
    told = `The bucket lies in ${bucketRegion}, not in ${site.region}`;
  } else if (code === 'WrongRegion') {
    hint = 'Set `aws-region` to the region of the resource';
  }
  if (awsCode === 'ENOTFOUND') {
    code = 'WrongRegion';
    hint = `Check \`aws-region\`: ${site.service} has no address in ${site.region}, or this runner has no network`;
  }
  const words = (sdk.message ?? '').trim();
  const bare = words === '' || words === 'UnknownError' || words === awsCode;
  if (awsCode === 'TimeoutError') {
    // The SDK names its own module and setting; the user needs to know who was silent.
    const silence = words.split('\n')[0]!.replace(/^@smithy\S* - |\s*\(configured by[^)]*\)\.?/g, '');
    told = `${site.service}:${site.operation} was not answered: ${silence}`;
    hint = 'Re-run this job; it attaches to what was started';
  }
  const failure: Failure = {
    code,
    region: site.region,
    cause: told ?? (bare ? `${site.service} answered ${awsCode} to ${site.operation}` : words),
    ...(site.account === undefined ? {} : { account: site.account }),
    ...(site.resource === undefined ? {} : { resource: site.resource }),
    ...(hint === undefined ? {} : { hint }),
  };
  return new AwsCallError(failure, awsCode, site.operation, status, error);
}
