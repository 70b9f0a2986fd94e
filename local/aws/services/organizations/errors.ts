import { AwsError } from '../../core/errors.ts';

/** The sentence for accounts that belong to the organization but may not ask: github.com/awslabs/aws-innovation-sandbox/issues/6 */
export const notYours = () =>
  new AwsError('AccessDeniedException', "You don't have permissions to access this resource.");

export const noSuchAccount = () =>
  new AwsError('AccountNotFoundException', "You specified an account that doesn't exist.");

export const noSuchUnit = () =>
  new AwsError('OrganizationalUnitNotFoundException', "You specified an organizational unit that doesn't exist.");

export const noSuchParent = () => new AwsError('ParentNotFoundException', "You specified parent that doesn't exist.");

export const noSuchChild = () => new AwsError('ChildNotFoundException', "You specified a child that doesn't exist.");

export const invalidInput = (Reason: string, message: string) =>
  new AwsError('InvalidInputException', message, 400, { Reason });

export const constraint = (Reason: string, message: string) =>
  new AwsError('ConstraintViolationException', message, 400, { Reason });
