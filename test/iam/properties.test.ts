import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PolicyStatement } from '../../local/aws/core/policy.ts';
import { conditionHolds } from '../../local/aws/iam/evaluator/conditions.ts';
import { decide, type Question } from '../../local/aws/iam/evaluator/decide.ts';
import { matchAction, matchArn, matchWildcard } from '../../local/aws/iam/evaluator/patterns.ts';
import { type ContextValue, RequestContext } from '../../local/aws/iam/evaluator/request-context.ts';
import { policy } from './support.ts';

const runs = process.env.TEST_FULL === undefined ? 500 : 20_000;
const check = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: runs });

/** Few letters, so that matches are frequent; regular expression characters, because they must mean nothing. */
const character = fc.constantFrom('a', 'b', 'A', '.', '/', '+', '(', '\\', '$', '😀');
const text = fc.string({ unit: character, maxLength: 8 });
const pattern = fc.string({ unit: fc.oneof(character, fc.constantFrom('*', '?')), maxLength: 8 });

const contextOf = (values: Record<string, ContextValue>) => {
  const context = new RequestContext();
  for (const [key, value] of Object.entries(values)) context.set(key, value);
  return context;
};

describe('wildcards', () => {
  test('match as the equal regular expression does', () => {
    const regular = (wildcard: string) =>
      new RegExp(
        `^${wildcard
          .replace(/[.+(\\$/]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
        'su',
      );
    check(
      fc.property(pattern, text, (wildcard, value) => {
        expect(matchWildcard(wildcard, value)).toBe(regular(wildcard).test(value));
      }),
    );
  });

  test('a text matches every pattern made of it by wildcards', () => {
    check(
      fc.property(text, fc.nat(), fc.nat(), (value, from, length) => {
        const characters = [...value];
        const start = characters.length === 0 ? 0 : from % characters.length;
        const end = Math.min(characters.length, start + (length % 4));
        const any = [...characters.slice(0, start), '*', ...characters.slice(end)].join('');
        const ones = [...characters.slice(0, start), ...'?'.repeat(end - start), ...characters.slice(end)].join('');
        expect(matchWildcard(any, value)).toBe(true);
        expect(matchWildcard(ones, value)).toBe(true);
      }),
    );
  });

  test('no pattern is slow', () => {
    // A matcher that tries every way to share the text out would not end.
    expect(matchWildcard(`${'*a'.repeat(400)}b`, 'a'.repeat(4000))).toBe(false);
  });

  test('actions ignore case', () => {
    check(
      fc.property(
        fc.constantFrom('s3', 'iam'),
        fc.string({ unit: fc.constantFrom('a', 'B', 'c'), minLength: 1 }),
        (service, name) => {
          const action = `${service}:${name}`;
          expect(matchAction(action.toUpperCase(), action)).toBe(true);
          expect(matchAction(action.toLowerCase(), action)).toBe(true);
          expect(matchAction(`${service}:${name}x`, action)).toBe(false);
        },
      ),
    );
  });
});

describe('ARNs', () => {
  const segment = fc.string({ unit: fc.constantFrom('a', 'b', '-', '1'), maxLength: 4 });
  const parts = fc.tuple(segment, segment, segment, segment);
  const resource = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':', '1'), minLength: 1, maxLength: 8 });

  test('each part can be a wildcard of its own', () => {
    check(
      fc.property(parts, resource, fc.nat(4), (heads, tail, wild) => {
        const arn = ['arn', ...heads, tail];
        const whole = arn.join(':');
        expect(matchArn(whole, whole, undefined)).toBe(true);
        expect(matchArn(arn.with(wild + 1, '*').join(':'), whole, undefined)).toBe(true);
      }),
    );
  });

  test('a changed part never matches', () => {
    check(
      fc.property(parts, resource, fc.nat(4), (heads, tail, changed) => {
        const arn = ['arn', ...heads, tail];
        const other = arn.with(changed + 1, `${arn[changed + 1]}z`);
        expect(matchArn(arn.join(':'), other.join(':'), undefined)).toBe(false);
      }),
    );
  });

  test('a value put in by a variable is never a pattern', () => {
    check(
      fc.property(pattern, text, (value, given) => {
        const context = contextOf({ 'aws:PrincipalTag/x': value });
        const arn = `arn:aws:s3:::b/${given}`;
        // An empty text leaves no resource; both sides then end in the slash.
        expect(matchArn('arn:aws:s3:::b/${aws:PrincipalTag/x}', arn, context)).toBe(given === value);
      }),
    );
  });
});

describe('conditions', () => {
  const value = fc.constantFrom('a', 'b', 'ab', 'A', '1', '2', 'arn:aws:iam::1:role/a');
  const values = fc.array(value, { minLength: 1, maxLength: 4 });
  const pairs: [string, string][] = [
    ['StringEquals', 'StringNotEquals'],
    ['StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
    ['StringLike', 'StringNotLike'],
    ['ArnLike', 'ArnNotLike'],
    ['ArnEquals', 'ArnNotEquals'],
    ['NumericEquals', 'NumericNotEquals'],
    ['DateEquals', 'DateNotEquals'],
  ];

  test.each(pairs)('%s is the opposite of %s for one value, and on an absent key', (positive, negative) => {
    check(
      fc.property(fc.option(value, { nil: undefined }), values, (given, wanted) => {
        const context = contextOf(given === undefined ? {} : { 'x:y': given });
        const holds = (operator: string) => conditionHolds({ [operator]: { 'x:y': wanted } }, context, true);
        expect(holds(negative)).toBe(!holds(positive));
      }),
    );
  });

  test('for all of a positive is not any of its negation, where the key is present', () => {
    check(
      fc.property(values, values, (given, wanted) => {
        const context = contextOf({ 'x:y': given });
        const holds = (operator: string) => conditionHolds({ [operator]: { 'x:y': wanted } }, context, true);
        for (const [positive, negative] of pairs) {
          expect(holds(`ForAllValues:${positive}`)).toBe(!holds(`ForAnyValue:${negative}`));
          expect(holds(`ForAnyValue:${positive}`)).toBe(!holds(`ForAllValues:${negative}`));
        }
      }),
    );
  });

  test('an absent key: true for all, for none of any, true if it exists', () => {
    for (const operator of pairs.flat()) {
      const holds = (name: string) => conditionHolds({ [name]: { 'x:y': 'a' } }, contextOf({}), true);
      expect(holds(`ForAllValues:${operator}`)).toBe(true);
      expect(holds(`ForAnyValue:${operator}`)).toBe(false);
      expect(holds(`${operator}IfExists`)).toBe(true);
      expect(holds(`ForAllValues:${operator}IfExists`)).toBe(true);
    }
  });
});

describe('decisions', () => {
  const statement: fc.Arbitrary<PolicyStatement & { Effect: 'Allow' | 'Deny' }> = fc.record({
    Effect: fc.constantFrom('Allow' as const, 'Deny' as const),
    Action: fc.constantFrom('*', 's3:*', 's3:Get*', 's3:GetObject', 's3:PutObject', 'iam:*'),
    Resource: fc.constantFrom('*', 'arn:aws:s3:::b/*', 'arn:aws:s3:::b/k', 'arn:aws:s3:::c/*'),
  });
  const who = fc.constantFrom<any>(
    '*',
    { AWS: '1'.repeat(12) },
    { AWS: 'arn:aws:iam::111111111111:role/r' },
    { AWS: '2'.repeat(12) },
  );
  const statements = fc.array(statement, { maxLength: 3 });
  const named = fc.array(
    fc.tuple(statement, who).map(([one, Principal]) => ({ ...one, Principal })),
    { maxLength: 3 },
  );
  const layer = fc.option(statements, { nil: undefined });
  interface Scene {
    identity: PolicyStatement[];
    boundary?: PolicyStatement[] | undefined;
    session?: PolicyStatement[] | undefined;
    resource: PolicyStatement[];
    owner: string;
  }
  const scene: fc.Arbitrary<Scene> = fc.record({
    identity: statements,
    boundary: layer,
    session: layer,
    resource: named,
    owner: fc.constantFrom('1', '2'),
  });

  const question = ({ identity, boundary, session, resource, owner }: Scene): Question => ({
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::b/k',
    subject: {
      kind: 'role-session',
      account: '1'.repeat(12),
      roleArn: 'arn:aws:iam::111111111111:role/r',
      sessionArn: 'x',
    },
    callerAccount: '1'.repeat(12),
    resourceAccount: owner.repeat(12),
    context: new RequestContext(),
    identity: {
      owner: 'r',
      policies: [{ name: 'p', document: policy(...identity) }],
      ...(boundary === undefined ? {} : { boundary: { name: 'b', document: policy(...boundary) } }),
      ...(session === undefined ? {} : { session: policy(...session) }),
    },
    ...(resource.length === 0 ? {} : { resourcePolicy: policy(...resource) }),
    resourcePolicyRequired: false,
    resourcePolicyName: 'resource-based policy',
  });
  const answer = (input: Scene) => decide(question(input)).decision;
  const denyAll = { Effect: 'Deny' as const, Action: '*', Resource: '*' };
  const allowAll = { Effect: 'Allow' as const, Action: '*', Resource: '*' };

  test('a Deny for everything, in any policy, denies', () => {
    check(
      fc.property(scene, (input) => {
        expect(answer({ ...input, identity: [...input.identity, denyAll] })).toBe('explicit-deny');
        expect(answer({ ...input, boundary: [...(input.boundary ?? []), denyAll] })).toBe('explicit-deny');
        expect(answer({ ...input, session: [...(input.session ?? []), denyAll] })).toBe('explicit-deny');
        expect(answer({ ...input, resource: [...input.resource, { ...denyAll, Principal: '*' }] })).toBe(
          'explicit-deny',
        );
      }),
    );
  });

  test('another Allow never takes a right away, another Deny never gives one', () => {
    check(
      fc.property(scene, statement, (input, { Effect: _, ...rest }) => {
        const before = answer(input);
        const more = answer({ ...input, identity: [...input.identity, { ...rest, Effect: 'Allow' }] });
        if (before === 'allow') expect(more).toBe('allow');
        const less = answer({ ...input, identity: [...input.identity, { ...rest, Effect: 'Deny' }] });
        if (before !== 'allow') expect(less).not.toBe('allow');
      }),
    );
  });

  test('boundary and session policy never give a right', () => {
    check(
      fc.property(scene, (input) => {
        const { boundary: _, session: __, ...free } = input;
        if (answer(input) === 'allow')
          expect(answer({ ...free, boundary: undefined, session: undefined })).toBe('allow');
      }),
    );
  });

  test('across accounts nothing is allowed that either side does not allow', () => {
    check(
      fc.property(scene, (input) => {
        const far = { ...input, owner: '2' };
        if (answer(far) !== 'allow') return;
        expect(answer({ ...far, identity: [] })).not.toBe('allow');
        expect(answer({ ...far, resource: [] })).not.toBe('allow');
        expect(answer({ ...far, owner: '1', identity: [...far.identity, allowAll] })).toBe('allow');
      }),
    );
  });

  test('an allow names a statement that allows, a denial none', () => {
    check(
      fc.property(scene, (input) => {
        const { decision, grantedBy } = decide(question(input));
        expect(grantedBy.length > 0).toBe(decision === 'allow');
        for (const label of grantedBy) {
          const [owner, index] = [label.split('#')[0], Number(/\[(\d+)\]$/.exec(label)![1])];
          expect((owner === 'r' ? input.identity : input.resource)[index]!.Effect).toBe('Allow');
        }
      }),
    );
  });
});
