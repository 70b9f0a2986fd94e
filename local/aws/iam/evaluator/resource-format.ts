/** Accepted partitions, wildcards included. */
const partitions = /^(aws(-[a-z]+)*|\*)$/;

/** Beginnings of resources in IAM's own ARNs. */
const iamPaths = [
  'user/',
  'federated-user/',
  'role/',
  'group/',
  'instance-profile/',
  'mfa/',
  'server-certificate/',
  'policy/',
  'sms-mfa/',
  'saml-provider/',
  'oidc-provider/',
  'report/',
  'access-report/',
];

const isWild = (text: string) => /[*?]|\$\{/.test(text);

/** ARNs in which `::` leaves fewer than six parts; others are completed with wildcards. */
export function failsLegacyParsing(resource: string): boolean {
  return resource !== '*' && resource.includes('::') && resource.split(':').length < 6;
}

/** What IAM says about a Resource that it does not accept; undefined when it does. */
export function resourceFault(resource: string): string | undefined {
  if (resource === '*') return undefined;
  const [start, partition, service, region, , ...rest] = resource.split(':');
  if (partition === undefined) return `Resource ${start} must be in ARN format or "*".`;
  if (!partitions.test(partition) && !isWild(partition)) {
    const [first, second, third, ...others] = resource.split(':').slice(2);
    const filled = [first, second, third, others.length > 0 ? others.join(':') : undefined].map((part) => part ?? '*');
    return `Partition "${partition}" is not valid for resource "arn:${partition}:${filled.join(':')}".`;
  }
  if (service === undefined || service === '' || (isWild(service) && service !== '*')) {
    return 'Resource vendor must be fully qualified and cannot contain regexes.';
  }
  const path = rest.join(':');
  if (service === 's3' && region !== '' && region !== undefined && !path.startsWith('accesspoint/')) {
    return `Resource ${resource} can not contain region information.`;
  }
  if (service === 'iam') {
    if (region !== '' && region !== undefined) return `IAM resource ${resource} cannot contain region information.`;
    if (path !== '' && !isWild(path[0]!) && path !== 'root' && !iamPaths.some((start) => path.startsWith(start))) {
      return `IAM resource path must either be "*" or start with ${iamPaths.join(', ')}.`;
    }
  }
  return undefined;
}
