import { AwsError } from '../../core/errors.ts';
import type { PolicyDocument, PolicyStatement } from '../../core/policy.ts';
import { parsePolicy, statementsOf } from '../evaluator/document.ts';
import { defaultDocument, managedPolicy } from '../policies-of-role.ts';
import type { IamStore } from '../store.ts';

interface SessionPolicyInput {
  Policy?: string;
  PolicyArns?: { arn?: string }[];
}

/** STS counts what it has packed in percent of its limit; texts here are not packed. */
export const packedSize = (characters: number): number => Math.ceil((characters / 2048) * 100);

/**
 * One document out of the inline session policy and the managed ones, whose statements add up.
 * Throws MalformedPolicyDocument, or PackedPolicyTooLarge above 2,048 characters.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function sessionPolicyOf(
  store: IamStore,
  account: string,
  input: SessionPolicyInput,
): PolicyDocument | undefined {
  if (input.Policy === undefined && (input.PolicyArns ?? []).length === 0) return undefined;
  const statements: PolicyStatement[] = [];
  if (input.Policy !== undefined) {
    if (input.Policy.length > 2048) {
      const packed = packedSize(input.Policy.length);
      throw new AwsError(
        'PackedPolicyTooLarge',
        `Packed size of session policy and tags consumes ${packed}% of allotted space.`,
      );
    }
    statements.push(...statementsOf(parsePolicy(input.Policy, 'identity')));
  }
  const arns = input.PolicyArns ?? [];
  if (arns.length > 10)
    throw new AwsError('ValidationError', 'At most 10 managed policies can be passed as session policies.');
  for (const { arn } of arns) {
    const policy = arn === undefined ? undefined : managedPolicy(store, arn);
    const owner = arn?.split(':')[4];
    if (policy === undefined || (owner !== account && owner !== 'aws')) {
      throw new AwsError('MalformedPolicyDocument', `PolicyArn ${arn} does not exist or is not attachable.`);
    }
    statements.push(...statementsOf(defaultDocument(policy)));
  }
  return { Version: '2012-10-17', Statement: statements };
}
