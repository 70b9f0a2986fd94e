import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readChecked } from '../../../src/github/schema.ts';
import { validate } from '../../../src/registry/gate-file.generated.ts';
import { durationOf, type GateFile } from '../../../src/registry/gate-file.ts';
import { type Evidence, evidenceText, judge, shortName } from '../../../src/registry/judge.ts';
import { packageParts } from '../../../src/registry/package.ts';
import { recordOf, sameJudgement, toProperties } from '../../../src/registry/record.ts';

const evidence = (more: Partial<Evidence> = {}): Evidence => ({
  metrics: { 'm.mse.value': 4 },
  champion: undefined,
  artifactSha256: 'f'.repeat(64),
  imageDigest: 'sha256:0',
  age: 0,
  ...more,
});

describe('rules', () => {
  test.each([
    ['<', 4, false],
    ['<=', 4, true],
    ['>', 4, false],
    ['>=', 4, true],
    ['==', 4, true],
    ['<', 4.1, true],
    ['>', 3.9, true],
  ] as const)('4 %s %d is %s', (operator, limit, passed) => {
    expect(judge({ rules: [{ metric: 'm.mse.value', operator, limit }] }, evidence())[0]).toMatchObject({
      passed,
      code: 'RuleMissed',
    });
  });

  test('lower and higher are better, by the margin', () => {
    const champion = { arn: 'arn', metrics: { 'm.mse.value': 5 } };
    const verdict = (rule: object) =>
      judge({ rules: [{ metric: 'm.mse.value', 'better-than': 'champion', ...rule }] }, evidence({ champion }))[0]!
        .passed;
    expect(verdict({})).toBe(true);
    expect(verdict({ margin: 1 })).toBe(true);
    expect(verdict({ margin: 1.01 })).toBe(false);
    expect(verdict({ direction: 'higher' })).toBe(false);
  });

  test('a champion without the metric is missing evidence, not a pass', () => {
    const [verdict] = judge(
      { rules: [{ metric: 'm.mse.value', 'better-than': 'champion' }] },
      evidence({ champion: { arn: 'arn', metrics: {} } }),
    );
    expect(verdict).toMatchObject({ passed: false, code: 'EvidenceMissing' });
  });

  test('a rule never passes without its metric', () => {
    fc.assert(
      fc.property(fc.constantFrom('<', '<=', '>', '>=', '=='), fc.double({ noNaN: true }), (operator, limit) => {
        const file = { rules: [{ metric: 'gone', operator, limit }] } as GateFile;
        expect(judge(file, evidence())[0]!.passed).toBe(false);
      }),
    );
  });

  test('required evidence and age', () => {
    const file: GateFile = { rules: [], require: ['artifact-sha256', 'image-digest'], 'max-age': 'P1D' };
    expect(judge(file, evidence({ imageDigest: undefined, age: 86_400_001 })).map(({ passed }) => passed)).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('the evidence text fits the field and names what was missed', () => {
    const verdicts = judge(
      { rules: Array.from({ length: 50 }, () => ({ metric: 'm.mse.value', operator: '<=' as const, limit: 3 })) },
      evidence(),
    );
    const text = evidenceText(verdicts, false);
    expect(text.length).toBeLessThanOrEqual(1_024);
    expect(text).toMatch(/^Gate missed: mse 4, limit 3 \(missed\);/);
    expect(shortName('regression_metrics.mse.value')).toBe('mse');
  });

  test('numbers are short, unless that would hide why a rule was missed', () => {
    const at = (value: number, limit: number) =>
      judge({ rules: [{ metric: 'm', operator: '<=', limit }] }, evidence({ metrics: { m: value } }))[0]!.text;
    expect(at(4.720060091412669, 6)).toBe('m 4.72006 is <= 6');
    expect(at(3.5000000001, 3.5)).toBe('m 3.5000000001 is not <= 3.5');
    expect(at(3.5, 3.5)).toBe('m 3.5 is <= 3.5');
  });

  test('without a champion the evidence says so', () => {
    const verdicts = judge({ rules: [{ metric: 'm.mse.value', 'better-than': 'champion' }] }, evidence());
    expect(evidenceText(verdicts, true)).toBe('Gate passed: mse 4, no champion in production');
  });

  test('durations', () => {
    expect([durationOf('P30D'), durationOf('PT12H'), durationOf('P2W'), durationOf('P1DT1H1M1S')]).toEqual([
      2_592_000_000, 43_200_000, 1_209_600_000, 90_061_000,
    ]);
  });
});

describe('the rules file', () => {
  const read = (text: string) => readChecked<GateFile>('gate.yml', text, validate);
  const causes = (text: string) => {
    try {
      read(text);
      return [];
    } catch (error) {
      return (error as { failures: { cause: string }[] }).failures.map(({ cause }) => cause);
    }
  };

  test('both kinds of rule', () => {
    expect(
      read(
        'rules:\n  - {metric: a.b, operator: "<=", limit: 6}\n  - {metric: a.b, better-than: champion, margin: 0}\nmax-age: PT1H',
      ).rules,
    ).toHaveLength(2);
  });

  test.each([
    ['rules:\n - {metric: a', /no valid YAML/],
    ['rules: [1]\nrules: [2]', /no valid YAML/],
  ])('%s', (text, expected) => {
    const found = causes(text);
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).toMatch(expected);
  });
});

describe('the gate record', () => {
  const record = {
    run: '7',
    commit: 'c'.repeat(40),
    rulesSha256: 'r',
    artifactSha256: 'a',
    artifactEtag: '"e"',
    imageDigest: 'sha256:1 sha256:2',
  };

  test('survives the trip, in characters that SageMaker takes', () => {
    const properties = toProperties(record);
    for (const value of Object.values(properties)) expect(value).toMatch(/^[A-Za-z0-9 _.:/=+@-]{1,256}$/);
    expect(recordOf({ CustomerMetadataProperties: properties } as any)).toEqual({ ...record, artifactEtag: '-e-' });
  });

  test('is only there when the gate wrote it', () => {
    expect(recordOf({ CustomerMetadataProperties: { commit: 'x' } } as any)).toBeUndefined();
    expect(recordOf({} as any)).toBeUndefined();
  });

  test('by another run it is the same judgement, of another model it is not', () => {
    expect(sameJudgement({ ...record, run: '8', commit: 'd' }, record)).toBe(true);
    expect(sameJudgement({ ...record, artifactSha256: 'b' }, record)).toBe(false);
    expect(sameJudgement(undefined, record)).toBe(false);
  });
});

test('only a version of a group is a package', () => {
  expect(packageParts('arn:aws:sagemaker:eu-west-1:111122223333:model-package/g-p-1/7')).toEqual({
    region: 'eu-west-1',
    account: '111122223333',
    group: 'g-p-1',
    version: 7,
  });
  expect(() => packageParts('arn:aws:sagemaker:eu-west-1:111122223333:model-package/g')).toThrow(/GROUP\/VERSION/);
});
