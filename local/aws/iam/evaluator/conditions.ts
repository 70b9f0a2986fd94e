import { BlockList, isIP } from 'node:net';
import type { PolicyStatement } from '../../core/policy.ts';
import { matchArn, matchTokens, substitute, tokenize } from './patterns.ts';
import type { RequestContext } from './request-context.ts';

/**
 * One comparison of a value of the request with a value of the policy. `undefined` context means that the policy's
 * version knows no variables.
 */
type Comparison = (given: string, wanted: string, context: RequestContext | undefined) => boolean;

const number = (text: string) => (/^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined);

/** ISO 8601 or seconds since 1970, in milliseconds. */
function moment(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const value = Date.parse(text);
  return Number.isNaN(value) ? undefined : value;
}

function ordered(read: (text: string) => number | undefined, test: (given: number, wanted: number) => boolean) {
  return (given: string, wanted: string): boolean => {
    const left = read(given);
    const right = read(wanted);
    return left !== undefined && right !== undefined && test(left, right);
  };
}

const orders: Record<string, (given: number, wanted: number) => boolean> = {
  Equals: (given, wanted) => given === wanted,
  LessThan: (given, wanted) => given < wanted,
  LessThanEquals: (given, wanted) => given <= wanted,
  GreaterThan: (given, wanted) => given > wanted,
  GreaterThanEquals: (given, wanted) => given >= wanted,
};

function inNetwork(given: string, wanted: string): boolean {
  const [network, bits] = wanted.split('/') as [string, string | undefined];
  const family = isIP(network);
  if (family === 0 || isIP(given) !== family) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, bits === undefined ? (family === 4 ? 32 : 128) : Number(bits), type);
  return list.check(given, type);
}

const like: Comparison = (given, wanted, context) => {
  const tokens = tokenize(wanted, context);
  return tokens !== undefined && matchTokens(tokens, given);
};
// ArnEquals and ArnLike behave the same.
const arn: Comparison = (given, wanted, context) => given.startsWith('arn:') && matchArn(wanted, given, context);

const positive: Record<string, Comparison> = {
  StringEquals: (given, wanted, context) => given === substitute(wanted, context),
  StringEqualsIgnoreCase: (given, wanted, context) =>
    given.toLowerCase() === substitute(wanted, context)?.toLowerCase(),
  StringLike: like,
  ArnEquals: arn,
  ArnLike: arn,
  Bool: (given, wanted, context) =>
    /^(true|false)$/i.test(given) && given.toLowerCase() === substitute(wanted, context)?.toLowerCase(),
  BinaryEquals: (given, wanted) => given === wanted,
  IpAddress: inNetwork,
  ...Object.fromEntries(Object.entries(orders).map(([name, test]) => [`Numeric${name}`, ordered(number, test)])),
  ...Object.fromEntries(Object.entries(orders).map(([name, test]) => [`Date${name}`, ordered(moment, test)])),
};

const negated: Record<string, Comparison> = {
  StringNotEquals: positive.StringEquals!,
  StringNotEqualsIgnoreCase: positive.StringEqualsIgnoreCase!,
  StringNotLike: like,
  ArnNotEquals: arn,
  ArnNotLike: arn,
  NumericNotEquals: positive.NumericEquals!,
  DateNotEquals: positive.DateEquals!,
  NotIpAddress: inNetwork,
};

export interface Operator {
  base: string;
  ifExists: boolean;
  qualifier?: 'ForAnyValue' | 'ForAllValues';
}

/** Splits `ForAnyValue:StringLikeIfExists`; undefined for what is no operator of AWS. */
export function parseOperator(text: string): Operator | undefined {
  const match = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(text);
  if (match === null) return undefined;
  const [, qualifier, base, ifExists] = match as unknown as [string, Operator['qualifier'], string, string?];
  const known = base === 'Null' || Object.hasOwn(positive, base) || Object.hasOwn(negated, base);
  if (!known || (base === 'Null' && ifExists !== undefined)) return undefined;
  return { base, ifExists: ifExists !== undefined, ...(qualifier === undefined ? {} : { qualifier }) };
}

function keyMatches(
  { base, ifExists, qualifier }: Operator,
  given: readonly string[] | undefined,
  wanted: string[],
  variables: RequestContext | undefined,
): boolean {
  if (base === 'Null') return wanted.some((value) => (value.toLowerCase() === 'true') === (given === undefined));
  const isNegated = Object.hasOwn(negated, base);
  if (given === undefined) {
    if (ifExists || qualifier === 'ForAllValues') return true;
    return qualifier === 'ForAnyValue' ? false : isNegated;
  }
  const compare = (isNegated ? negated : positive)[base]!;
  const one = (value: string) => wanted.some((candidate) => compare(value, candidate, variables)) !== isNegated;
  if (qualifier === 'ForAllValues') return given.every(one);
  if (qualifier === 'ForAnyValue') return given.some(one);
  // Without a set operator a negated test must hold for each value, a positive one for any.
  return isNegated ? given.every(one) : given.some(one);
}

/**
 * True when every operator and every key of a Condition block holds.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export function conditionHolds(
  condition: PolicyStatement['Condition'],
  context: RequestContext,
  withVariables: boolean,
): boolean {
  return Object.entries(condition ?? {}).every(([name, keys]) => {
    const operator = parseOperator(name);
    if (operator === undefined) return false;
    return Object.entries(keys).every(([key, values]) =>
      keyMatches(
        operator,
        context.get(key),
        (Array.isArray(values) ? values : [values]).map(String),
        withVariables ? context : undefined,
      ),
    );
  });
}
