import { randomBytes } from 'node:crypto';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Random letters and digits, as in the physical names that CloudFormation makes up. */
export function randomText(length: number): string {
  return [...randomBytes(length)].map((byte) => letters[byte % letters.length]).join('');
}

/**
 * STACK-LOGICALID-RANDOM, cut to `maximum` characters: the stack name gives way first, as on AWS.
 * "Name type" of the CloudFormation user guide: the random part has twelve characters.
 */
export function generatedName(
  request: { stackName: string; logicalId: string },
  maximum: number,
  options: { lowerCase?: boolean } = {},
): string {
  const suffix = randomText(12);
  const room = maximum - suffix.length - 2;
  const logicalId = request.logicalId.slice(0, Math.max(Math.floor(room / 2), room - request.stackName.length));
  const stackName = request.stackName.slice(0, room - logicalId.length);
  const name = `${stackName}-${logicalId}-${suffix}`;
  return options.lowerCase === true ? name.toLowerCase() : name;
}

/** LOGICALID-RANDOM: the form of SageMaker's generated names. */
export function shortGeneratedName(logicalId: string, maximum: number): string {
  const suffix = randomText(12);
  return `${logicalId.slice(0, maximum - suffix.length - 1)}-${suffix}`;
}
