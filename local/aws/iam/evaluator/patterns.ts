import type { RequestContext } from './request-context.ts';

/**
 * A policy string cut into literal text and wildcards. Wildcards and policy variables are told apart before values are
 * filled in, so that a `*` inside a tag value or a session name never becomes a wildcard.
 */
export type Token = { literal: string } | 'any' | 'one';

const variable = /\$\{([^}]*)\}/g;

function wildcardTokens(text: string): Token[] {
  return text
    .split(/([*?])/)
    .filter((part) => part !== '')
    .map((part) => (part === '*' ? 'any' : part === '?' ? 'one' : { literal: part }));
}

/** `key` or `key, 'default'`, as it stands between `${` and `}`. */
function variableValue(expression: string, context: RequestContext): string | undefined {
  const match = /^\s*([^,]*?)\s*(?:,\s*'([^']*)'\s*)?$/s.exec(expression);
  if (match === null) return undefined;
  const values = context.get(match[1]!);
  // A key with several values cannot be used as a variable.
  if (values !== undefined && values.length === 1 && !context.isMultivalued(match[1]!)) return values[0];
  return match[2];
}

/**
 * Tokens of a pattern with its policy variables filled in; undefined when a variable has neither value nor default,
 * in which case AWS does not match the string at all. `${*}`, `${?}` and `${$}` stand for the characters themselves.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function tokenize(pattern: string, context: RequestContext | undefined): Token[] | undefined {
  if (context === undefined) return wildcardTokens(pattern);
  const tokens: Token[] = [];
  let position = 0;
  for (const match of pattern.matchAll(variable)) {
    tokens.push(...wildcardTokens(pattern.slice(position, match.index)));
    position = match.index + match[0].length;
    const expression = match[1]!;
    if (expression === '*' || expression === '?' || expression === '$') tokens.push({ literal: expression });
    else {
      const value = variableValue(expression, context);
      if (value === undefined) return undefined;
      if (value !== '') tokens.push({ literal: value });
    }
  }
  tokens.push(...wildcardTokens(pattern.slice(position)));
  return tokens;
}

/** The plain text of a pattern whose `*` and `?` mean themselves (StringEquals); undefined as for `tokenize`. */
export function substitute(pattern: string, context: RequestContext | undefined): string | undefined {
  return tokenize(pattern, context)
    ?.map((token) => (token === 'any' ? '*' : token === 'one' ? '?' : token.literal))
    .join('');
}

/** Linear greedy matching: one point to come back to, the last `*`, so no pattern is slow. */
export function matchTokens(tokens: readonly Token[], text: string): boolean {
  const units: (string | 'any' | undefined)[] = [];
  for (const token of tokens) {
    if (token === 'any') units.push('any');
    else if (token === 'one') units.push(undefined);
    else units.push(...token.literal);
  }
  const characters = [...text];
  let unit = 0;
  let at = 0;
  let restartUnit = -1;
  let restartAt = 0;
  while (at < characters.length) {
    const wanted = units[unit];
    if (unit < units.length && wanted === 'any') {
      restartUnit = unit;
      restartAt = at;
      unit += 1;
    } else if (unit < units.length && (wanted === undefined || wanted === characters[at])) {
      unit += 1;
      at += 1;
    } else if (restartUnit >= 0) {
      unit = restartUnit + 1;
      restartAt += 1;
      at = restartAt;
    } else return false;
  }
  while (units[unit] === 'any' && unit < units.length) unit += 1;
  return unit === units.length;
}

/** Matches `*` and `?` in a pattern without variables. */
export function matchWildcard(pattern: string, text: string): boolean {
  return matchTokens(wildcardTokens(pattern), text);
}

/** Cuts tokens at the first five colons that stand outside of variables and wildcards. */
function arnSegments(tokens: readonly Token[]): Token[][] {
  const segments: Token[][] = [[]];
  for (const token of tokens) {
    if (typeof token === 'string') {
      segments.at(-1)!.push(token);
      continue;
    }
    let rest = token.literal;
    while (segments.length < 6) {
      const colon = rest.indexOf(':');
      if (colon < 0) break;
      if (colon > 0) segments.at(-1)!.push({ literal: rest.slice(0, colon) });
      segments.push([]);
      rest = rest.slice(colon + 1);
    }
    if (rest !== '') segments.at(-1)!.push({ literal: rest });
  }
  return segments;
}

/**
 * Matches an ARN pattern as Resource and Arn* conditions do: each of the six parts by itself, so that a wildcard never
 * reaches over a colon of the first five; a pattern with fewer parts is filled up with `*`.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function matchArn(pattern: string, arn: string, context: RequestContext | undefined): boolean {
  if (pattern === '*') return true;
  const tokens = tokenize(pattern, context);
  if (tokens === undefined) return false;
  const wanted = arnSegments(tokens);
  const given = arn.split(':');
  if (given.length < 6 || given[0] !== 'arn') return matchTokens(tokens, arn);
  const parts = [...given.slice(0, 5), given.slice(5).join(':')];
  return parts.every((part, index) => {
    const segment = wanted[index];
    return segment === undefined || matchTokens(segment, part);
  });
}

/** `service:action` patterns; case does not count. */
export function matchAction(pattern: string, action: string): boolean {
  return pattern === '*' || matchWildcard(pattern.toLowerCase(), action.toLowerCase());
}
