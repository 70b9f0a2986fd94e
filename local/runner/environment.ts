import path from 'node:path';
import type { Credentials } from '../aws/core/context.ts';
import type { Place } from './opt-ml.ts';

/**
 * Names that a program may take over from this process: they choose the code of numeric libraries for this processor.
 * Everything else of the caller's environment stays out, secrets above all.
 */
const inherited = /^OPENBLAS_/;

/** The environment of a job's or model server's program, as a container of SageMaker would have it. */
export function programEnvironment(options: {
  python: string;
  place: Place;
  region: string;
  credentials: Credentials;
  endpointUrl: string;
  threads: number;
  /** Where the toolkits find /opt/ml. */
  base: string;
  /** The request's own Environment, and what its kind of job adds. */
  variables: Record<string, string>;
}): Record<string, string> {
  const { place, region, credentials, endpointUrl, threads } = options;
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (inherited.test(name) && value !== undefined) environment[name] = value;
  return {
    ...environment,
    PATH: [
      path.dirname(options.python),
      '/usr/local/sbin',
      '/usr/local/bin',
      '/usr/sbin',
      '/usr/bin',
      '/sbin',
      '/bin',
    ].join(':'),
    LANG: 'C.UTF-8',
    HOME: place.home,
    TMPDIR: place.temporary,
    PYTHONUNBUFFERED: '1',
    // What a job installs is its own: the environment is shared by all of them.
    PYTHONPATH: place.packages,
    PIP_TARGET: place.packages,
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    OMP_NUM_THREADS: String(threads),
    // Threads that wait by spinning take the processors from the programs beside them.
    OMP_WAIT_POLICY: 'PASSIVE',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL: endpointUrl,
    // The training toolkit's own name for it.
    S3_ENDPOINT_URL: endpointUrl,
    AWS_EC2_METADATA_DISABLED: 'true',
    SAGEMAKER_BASE_DIR: options.base,
    ...options.variables,
  };
}
