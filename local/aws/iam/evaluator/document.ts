import { AwsError } from '../../core/errors.ts';
import type { OneOrMany, PolicyDocument, PolicyStatement } from '../../core/policy.ts';
import { parseOperator } from './conditions.ts';

/** Where a policy stands decides which elements it may have. `any` is for callers that check the rest themselves. */
export type PolicyKind = 'identity' | 'trust' | 'resource' | 'any';

export const list = <T>(value: OneOrMany<T> | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

export const statementsOf = (document: PolicyDocument): PolicyStatement[] => list(document.Statement);

/** Only the newer version has policy variables; a document without Version is of the older one. */
export const hasVariables = (document: PolicyDocument): boolean => document.Version === '2012-10-17';

const malformed = (message: string) => new AwsError('MalformedPolicyDocument', message, 400);
const syntaxError = () => malformed('Syntax errors in policy.');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is OneOrMany<string> =>
  typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'));

const statementKeys = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

const trustActions =
  /^sts:(AssumeRole|AssumeRoleWithSAML|AssumeRoleWithWebIdentity|TagSession|SetSourceIdentity|SetContext|\*|Assume[A-Za-z*?]*|Tag[A-Za-z*?]*|Set[A-Za-z*?]*)$/i;

function checkActions(value: unknown, kind: PolicyKind): void {
  if (!isTexts(value)) throw syntaxError();
  const actions = list(value);
  if (actions.length === 0) throw malformed('Policy statement must contain actions.');
  for (const action of actions) {
    if (action === '*') {
      if (kind === 'trust') throw malformed('AssumeRole policy may only specify STS AssumeRole actions.');
      continue;
    }
    const [vendor, name, ...rest] = action.split(':');
    if (name === undefined)
      throw malformed('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');
    if (rest.length > 0 || name === '') throw malformed('Actions/Condition can contain only one colon.');
    if (!/^[A-Za-z0-9-]+$/.test(vendor!)) throw malformed(`Vendor ${vendor} is not valid`);
    if (kind === 'trust' && !trustActions.test(action)) {
      throw malformed('AssumeRole policy may only specify STS AssumeRole actions.');
    }
  }
}

function checkResources(value: unknown): void {
  if (!isTexts(value)) throw syntaxError();
  const resources = list(value);
  if (resources.length === 0) throw malformed('Policy statement must contain resources.');
  for (const resource of resources) {
    if (resource === '*') continue;
    if (!resource.startsWith('arn:') && !/^[*?]/.test(resource)) {
      throw malformed(`Resource ${resource} must be in ARN format or "*".`);
    }
    const partition = resource.split(':')[1];
    if (partition !== undefined && !/^(aws(-[a-z-]+)?|.*[*?].*|\$\{.*)$/.test(partition)) {
      throw malformed(`Partition "${partition}" is not valid for resource "${resource}".`);
    }
  }
}

const awsPrincipal =
  /^(\*|\d{12}|arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)\/[\w+=,.@/-]+)|arn:aws[a-z-]*:sts::\d{12}:(assumed-role|federated-user)\/[\w+=,.@/-]+|A(RO|ID)A[A-Z0-9]+)$/;

function checkPrincipal(value: unknown): void {
  if (value === '*') return;
  if (!isObject(value) || Object.keys(value).length === 0) throw syntaxError();
  for (const [type, names] of Object.entries(value)) {
    if (!['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(type) || !isTexts(names)) throw syntaxError();
    for (const name of list(names)) {
      const valid =
        type === 'AWS'
          ? awsPrincipal.test(name)
          : type === 'Service'
            ? /^[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)$/.test(name)
            : name !== '';
      if (!valid) throw malformed(`Invalid principal in policy: "${type}":"${name}"`);
    }
  }
}

function checkCondition(value: unknown): void {
  if (!isObject(value)) throw syntaxError();
  for (const [operator, keys] of Object.entries(value)) {
    if (!isObject(keys)) throw syntaxError();
    if (parseOperator(operator) === undefined) {
      throw malformed(`Invalid Condition type : ${operator}`);
    }
    for (const [key, values] of Object.entries(keys)) {
      if (!key.includes(':'))
        throw malformed('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');
      const items = Array.isArray(values) ? values : [values];
      if (!items.every((item) => ['string', 'boolean', 'number'].includes(typeof item))) throw syntaxError();
    }
  }
}

function exactlyOne(statement: Record<string, unknown>, name: string, missing: string): string {
  const present = [name, `Not${name}`].filter((key) => statement[key] !== undefined);
  if (present.length === 2) throw syntaxError();
  if (present.length === 0) throw malformed(missing);
  return present[0]!;
}

function checkStatement(statement: unknown, kind: PolicyKind): void {
  if (!isObject(statement)) throw syntaxError();
  if (Object.keys(statement).some((key) => !statementKeys.has(key))) throw syntaxError();
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') throw syntaxError();
  if (statement.Sid !== undefined) {
    if (typeof statement.Sid !== 'string') throw syntaxError();
    if (kind !== 'resource' && kind !== 'any' && !/^[A-Za-z0-9]*$/.test(statement.Sid)) {
      throw malformed(
        'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
      );
    }
  }
  checkActions(statement[exactlyOne(statement, 'Action', 'Policy statement must contain actions.')], kind);

  const named = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
  if (kind === 'identity' && named) throw malformed('Policy document should not specify a principal.');
  if (kind === 'trust' && statement.NotPrincipal !== undefined) {
    throw malformed('AssumeRole policy must not contain NotPrincipal.');
  }
  if (kind === 'trust' || kind === 'resource') {
    const key = exactlyOne(statement, 'Principal', 'Missing required field Principal');
    checkPrincipal(statement[key]);
  } else if (named) checkPrincipal(statement.Principal ?? statement.NotPrincipal);
  if (statement.NotPrincipal !== undefined && statement.Effect === 'Allow') {
    throw malformed('Allow with NotPrincipal is not allowed.');
  }

  const hasResource = statement.Resource !== undefined || statement.NotResource !== undefined;
  if (kind === 'trust') {
    if (hasResource) throw malformed('Has prohibited field Resource');
  } else if (hasResource || kind !== 'any') {
    checkResources(statement[exactlyOne(statement, 'Resource', 'Policy statement must contain resources.')]);
  }
  if (statement.Condition !== undefined) checkCondition(statement.Condition);
}

/** Checks a document that is already an object, as it stands in a template. Throws AwsError MalformedPolicyDocument. */
export function checkPolicy(document: unknown, kind: PolicyKind): PolicyDocument {
  if (!isObject(document)) throw syntaxError();
  if (Object.keys(document).some((key) => !['Version', 'Id', 'Statement'].includes(key))) throw syntaxError();
  const { Version: version, Id: id, Statement: statement } = document;
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') throw syntaxError();
  if (id !== undefined && typeof id !== 'string') throw syntaxError();
  const statements = Array.isArray(statement) ? statement : statement === undefined ? [] : [statement];
  if (statements.length === 0) throw syntaxError();
  for (const item of statements) checkStatement(item, kind);
  const ids = statements.flatMap((item) => (item.Sid === undefined || item.Sid === '' ? [] : [item.Sid]));
  if (new Set(ids).size < ids.length) throw malformed('Statement IDs (SID) in a single policy must be unique.');
  return document as unknown as PolicyDocument;
}

/** Parses and checks policy text by the grammar of IAM. Throws AwsError MalformedPolicyDocument. */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw malformed(kind === 'trust' ? 'This policy contains invalid Json' : 'Syntax errors in policy.');
  }
  return checkPolicy(document, kind);
}

/** IAM's size limits do not count white space. */
export const policySize = (text: string): number => text.replace(/\s/g, '').length;
