import { AwsError } from '../../core/errors.ts';
import type { OneOrMany, PolicyDocument, PolicyStatement } from '../../core/policy.ts';
import { parseOperator } from './conditions.ts';
import { failsLegacyParsing, resourceFault } from './resource-format.ts';

/** Where a policy stands decides which elements it may have. `any` is for callers that check the rest themselves. */
export type PolicyKind = 'identity' | 'managed' | 'trust' | 'resource' | 'any';

export const list = <T>(value: OneOrMany<T> | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

export const statementsOf = (document: PolicyDocument): PolicyStatement[] => list(document.Statement);

/** Only the newer version has policy variables; a document without Version is of the older one. */
export const hasVariables = (document: PolicyDocument): boolean => document.Version === '2012-10-17';

/** IAM's size limits do not count white space. */
export const policySize = (text: string): number => text.replace(/\s/g, '').length;

const malformed = (message: string) => new AwsError('MalformedPolicyDocument', message, 400);
const syntaxError = () => malformed('Syntax errors in policy.');
const unprefixed = () => malformed('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');

type Raw = Record<string, unknown>;

const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is OneOrMany<string> =>
  typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'));

const statementKeys = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

function checkConditionSyntax(condition: unknown): void {
  if (!isObject(condition)) throw syntaxError();
  for (const [operator, keys] of Object.entries(condition)) {
    if (!isObject(keys) || parseOperator(operator) === undefined) throw syntaxError();
    for (const values of Object.values(keys)) {
      const items = Array.isArray(values) ? values : [values];
      if (!items.every((item) => ['string', 'boolean', 'number'].includes(typeof item))) throw syntaxError();
    }
  }
}

/** First pass: elements and their types, all of one sentence. */
function checkSyntax(statement: unknown): asserts statement is Raw {
  if (!isObject(statement) || Object.keys(statement).some((key) => !statementKeys.includes(key))) throw syntaxError();
  const { Effect: effect, Sid: sid, Condition: condition } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') throw syntaxError();
  if (sid !== undefined && typeof sid !== 'string') throw syntaxError();
  for (const name of ['Action', 'Resource', 'Principal']) {
    if (statement[name] !== undefined && statement[`Not${name}`] !== undefined) throw syntaxError();
  }
  for (const name of ['Action', 'NotAction', 'Resource', 'NotResource']) {
    if (statement[name] !== undefined && !isTexts(statement[name])) throw syntaxError();
  }
  if (condition !== undefined) checkConditionSyntax(condition);
}

const element = (statement: Raw, name: 'Action' | 'Resource'): string[] => [
  ...list((statement[name] ?? statement[`Not${name}`]) as OneOrMany<string> | undefined),
];

function checkDates(statement: Raw): void {
  for (const [operator, keys] of Object.entries((statement.Condition ?? {}) as Record<string, Raw>)) {
    if (!parseOperator(operator)!.base.startsWith('Date')) continue;
    for (const value of Object.values(keys).flat().map(String)) {
      if (!value.includes('${') && !/^\d+$/.test(value) && Number.isNaN(Date.parse(value))) {
        throw malformed('The policy failed legacy parsing');
      }
    }
  }
}

const trustedActions =
  /^sts:(AssumeRole|AssumeRoleWithSAML|AssumeRoleWithWebIdentity|TagSession|SetSourceIdentity|SetContext|[A-Za-z]*\*)$/i;

function checkActions(statement: Raw, kind: PolicyKind): void {
  for (const action of element(statement, 'Action')) {
    const [vendor, name, ...rest] = action.split(':');
    if (name === undefined && vendor !== '*') throw unprefixed();
    if (rest.length > 0) throw malformed('Actions/Condition can contain only one colon.');
    if (vendor !== '*' && /[^a-zA-Z0-9.-]/.test(vendor!)) throw malformed(`Vendor ${vendor} is not valid`);
    if (kind === 'trust' && !trustedActions.test(action)) {
      throw malformed('AssumeRole policy may only specify STS AssumeRole actions.');
    }
  }
  for (const keys of Object.values((statement.Condition ?? {}) as Record<string, Raw>)) {
    if (Object.keys(keys).some((key) => !key.includes(':'))) throw unprefixed();
  }
}

const awsPrincipal =
  /^(\*|\d{12}|arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)\/[\w+=,.@/-]+)|arn:aws[a-z-]*:sts::\d{12}:(assumed-role|federated-user)\/[\w+=,.@/-]+|A(RO|ID)A[A-Z0-9]+)$/;
const servicePrincipal = /^[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)$/;

function checkPrincipal(value: unknown): void {
  if (value === '*') return;
  if (!isObject(value) || Object.keys(value).length === 0) throw syntaxError();
  for (const [type, names] of Object.entries(value)) {
    if (!['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(type) || !isTexts(names)) throw syntaxError();
    for (const name of list(names)) {
      const valid =
        type === 'AWS' ? awsPrincipal.test(name) : type === 'Service' ? servicePrincipal.test(name) : name !== '';
      if (!valid) throw malformed(`Invalid principal in policy: "${type}":"${name}"`);
    }
  }
}

/** Principals stand in trust and resource-based policies, and only there. */
function checkWho(statement: Raw, kind: PolicyKind): void {
  const named = statement.Principal ?? statement.NotPrincipal;
  if (kind === 'identity' || kind === 'managed') {
    if (named !== undefined) throw malformed('Policy document should not specify a principal.');
    return;
  }
  if (named === undefined) {
    if (kind === 'any') return;
    throw malformed('Missing required field Principal');
  }
  checkPrincipal(named);
  if (statement.NotPrincipal === undefined) return;
  if (kind === 'trust') throw malformed('AssumeRole policy must not contain NotPrincipal.');
  if (statement.Effect === 'Allow') throw malformed('Allow with NotPrincipal is not allowed.');
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function checkStatements(statements: Raw[], kind: PolicyKind): void {
  for (const statement of statements) checkDates(statement);
  // The fault of a resource is told after those of Sids and actions; legacy parsing fails at once, unless there is one.
  let resourceProblem: string | undefined;
  for (const statement of statements) {
    const resources = element(statement, 'Resource').sort();
    resourceProblem = firstOf(resources, resourceFault) ?? resourceProblem;
    if (resourceProblem === undefined && resources.some(failsLegacyParsing)) {
      throw malformed('The policy failed legacy parsing');
    }
  }
  const ids = statements.map(({ Sid }) => Sid).filter((id) => id !== undefined && id !== '');
  if (new Set(ids).size < ids.length) throw malformed('Statement IDs (SID) in a single policy must be unique.');
  for (const statement of statements) {
    if (element(statement, 'Action').length === 0) throw malformed('Policy statement must contain actions.');
  }
  if (resourceProblem !== undefined) throw malformed(resourceProblem);
  for (const statement of statements) {
    checkActions(statement, kind);
    checkWho(statement, kind);
    const hasResource = statement.Resource !== undefined || statement.NotResource !== undefined;
    if (kind === 'trust' && hasResource) throw malformed('Has prohibited field Resource');
    if (kind !== 'trust' && kind !== 'any' && element(statement, 'Resource').length === 0) {
      throw malformed('Policy statement must contain resources.');
    }
    const sid = (statement.Sid ?? '') as string;
    if (kind !== 'resource' && kind !== 'any' && !/^[A-Za-z0-9]*$/.test(sid)) {
      throw malformed(
        'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
      );
    }
  }
}

/**
 * Checks a document that is already an object, by the grammar of IAM and in the order in which IAM complains.
 * Throws AwsError MalformedPolicyDocument.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function checkPolicy(document: unknown, kind: PolicyKind): PolicyDocument {
  if (!isObject(document)) throw syntaxError();
  if (Object.keys(document).some((key) => !['Version', 'Id', 'Statement'].includes(key))) throw syntaxError();
  const { Version: version, Id: id, Statement: statement } = document;
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') throw syntaxError();
  if (id !== undefined && typeof id !== 'string') throw syntaxError();
  const statements: unknown[] = Array.isArray(statement) ? statement : statement === undefined ? [] : [statement];
  if (statements.length === 0) throw syntaxError();
  for (const item of statements) checkSyntax(item);
  if (kind === 'managed' && version !== '2012-10-17') {
    throw malformed('Policy document must be version 2012-10-17 or greater.');
  }
  checkStatements(statements as Raw[], kind);
  return document as unknown as PolicyDocument;
}

/** Parses and checks policy text. Throws AwsError MalformedPolicyDocument. */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw malformed(kind === 'trust' ? 'This policy contains invalid Json' : 'Syntax errors in policy.');
  }
  return checkPolicy(document, kind);
}
