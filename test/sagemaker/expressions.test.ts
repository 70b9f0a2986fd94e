import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDuration } from '../../local/aws/services/sagemaker/duration.ts';
import { type Condition, holds } from '../../local/aws/services/sagemaker/pipelines/conditions.ts';
import {
  EvaluationError,
  type EvaluationScope,
  evaluate,
  evaluateKnown,
} from '../../local/aws/services/sagemaker/pipelines/evaluate.ts';
import {
  isExpression,
  parseExpression,
  referencedSteps,
} from '../../local/aws/services/sagemaker/pipelines/expressions.ts';
import { formatPath, parsePath, select } from '../../local/aws/services/sagemaker/pipelines/json-path.ts';
import {
  bindParameters,
  formatScalar,
  type ParameterType,
  type ParameterValue,
  readParameter,
} from '../../local/aws/services/sagemaker/pipelines/parameters.ts';

function scope(more: Partial<EvaluationScope> = {}): EvaluationScope {
  return {
    parameter: () => undefined,
    execution: (variable) => `<${variable}>`,
    experiment: () => undefined,
    step: async () => ({}),
    propertyFile: async () => ({}),
    s3Json: async () => ({}),
    ...more,
  };
}

const parameters = (values: Record<string, [ParameterType, ParameterValue]>): Partial<EvaluationScope> => ({
  parameter: (name) => {
    const found = values[name];
    return found === undefined ? undefined : { type: found[0], value: found[1] };
  },
});

const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
/** JSON without objects that look like an expression. */
const json = fc
  .jsonValue({ maxDepth: 4 })
  .filter(
    (value) => !/"(?:Get|Std:Join|Std:JsonGet)":/.test(JSON.stringify(value)) && !/null/.test(JSON.stringify(value)),
  );

describe('paths', () => {
  it('survive formatting and parsing', () => {
    const part = fc.oneof(
      fc.record({ kind: fc.constant('member' as const), name: key }),
      fc.record({ kind: fc.constant('member' as const), name: fc.stringMatching(/^[a-z .:/]{1,10}$/) }),
      fc.record({ kind: fc.constant('index' as const), index: fc.nat(99) }),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        expect(parsePath(formatPath(parts))).toEqual(parts);
      }),
    );
  });

  it('find what was put there', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(key, fc.nat(3)), { minLength: 1, maxLength: 5 }), json, (way, leaf) => {
        let value: unknown = leaf;
        for (const step of [...way].reverse()) {
          value = typeof step === 'number' ? Object.assign([], { [step]: value }) : { [step]: value };
        }
        const parts = way.map((step) =>
          typeof step === 'number' ? { kind: 'index' as const, index: step } : { kind: 'member' as const, name: step },
        );
        expect(select(value, parts)).toEqual(leaf);
      }),
    );
  });

  it('select from a list by the member that names its elements', () => {
    const job = {
      ProcessingOutputConfig: {
        Outputs: [
          { OutputName: 'a', S3Output: 1 },
          { OutputName: 'b', S3Output: 2 },
        ],
      },
    };
    expect(select(job, parsePath("ProcessingOutputConfig.Outputs['b'].S3Output") ?? [])).toBe(2);
    expect(select(job, parsePath("ProcessingOutputConfig.Outputs['c'].S3Output") ?? [])).toBeUndefined();
    expect(select({ map: { x: 1 } }, parsePath("map['x']") ?? [])).toBe(1);
    expect(select({}, parsePath('constructor.name') ?? [])).toBeUndefined();
  });

  it.each(['', '$.a[', 'a..b', '.a', 'a[b]', "a['b", 'a b'])('refuse %j', (text) => {
    expect(parsePath(text)).toBeUndefined();
  });
});

describe('evaluation', () => {
  it('leaves plain values as they are', async () => {
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        expect(await evaluate(value, scope())).toEqual(value);
      }),
    );
  });

  it('joins like the strings of its values', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.array(fc.oneof(fc.string(), fc.integer(), fc.boolean())), async (on, values) => {
        expect(await evaluate({ 'Std:Join': { On: on, Values: values } }, scope())).toBe(values.map(String).join(on));
      }),
    );
  });

  it('joins nested joins as if they were texts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string()), fc.array(fc.string()), async (inner, outer) => {
        const nested = { 'Std:Join': { On: '/', Values: [...outer, { 'Std:Join': { On: '-', Values: inner } }] } };
        expect(await evaluate(nested, scope())).toBe([...outer, inner.join('-')].join('/'));
      }),
    );
  });

  it('keeps the type of a parameter, and writes it as the service does inside a join', async () => {
    const values = scope(parameters({ I: ['Integer', 5], F: ['Float', 6], B: ['Boolean', true], S: ['String', 'x'] }));
    const get = (name: string) => ({ Get: `Parameters.${name}` });
    expect(await evaluate({ i: get('I'), f: get('F'), b: get('B'), s: get('S') }, values)).toEqual({
      i: 5,
      f: 6,
      b: true,
      s: 'x',
    });
    const joined = { 'Std:Join': { On: ' ', Values: ['I', 'F', 'B', 'S'].map(get) } };
    expect(await evaluate(joined, values)).toBe('5 6.0 true x');
  });

  it('takes members that are null as absent, but keeps them in lists', async () => {
    expect(await evaluate({ a: null, b: { c: null, d: 1 }, e: [null] }, scope())).toEqual({ b: { d: 1 }, e: [null] });
  });

  it('splits references at the first two dots only', () => {
    expect(parseExpression({ Get: 'Steps.S.A.B' })).toMatchObject({ kind: 'step', step: 'S', text: 'A.B' });
    expect(parseExpression({ Get: "Steps.S.Outputs['a.b'].C" })).toMatchObject({ kind: 'step', step: 'S' });
    expect(parseExpression({ Get: 'Steps.S.PropertyFiles.a.b' })).toMatchObject({ kind: 'property-file', file: 'a.b' });
    expect(parseExpression({ Get: 'Steps.S' })).toEqual(expect.any(String));
    expect(parseExpression({ Get: 'Parameters' })).toEqual(expect.any(String));
    expect(parseExpression({ Get: 'Env.X' })).toEqual(expect.any(String));
  });

  it('reads JSON from a property file and from S3', async () => {
    const values = scope({
      propertyFile: async (step, file) => ({ from: `${step}/${file}`, list: [{ "it's": 3 }] }),
      s3Json: async (uri) => ({ uri }),
    });
    const file = (Path: string) => ({ 'Std:JsonGet': { PropertyFile: { Get: 'Steps.S.PropertyFiles.F' }, Path } });
    expect(await evaluate(file('from'), values)).toBe('S/F');
    expect(await evaluate(file('list[0]["it\'s"]'), values)).toBe(3);
    await expect(evaluate(file('nothing'), values)).rejects.toThrow(EvaluationError);
    const s3 = { 'Std:JsonGet': { S3Uri: { 'Std:Join': { On: '/', Values: ['s3:/', 'b', 'k'] } }, Path: 'uri' } };
    expect(await evaluate(s3, values)).toBe('s3://b/k');
  });

  it('leaves only what waits for a step when it evaluates what is known', async () => {
    const waiting = { Get: 'Steps.S.ModelName' };
    const values = scope({
      ...parameters({ P: ['String', 'v'] }),
      step: async () => {
        throw new EvaluationError('not yet');
      },
    });
    expect(
      await evaluateKnown(
        { a: { Get: 'Parameters.P' }, b: waiting, c: { 'Std:Join': { On: '', Values: ['x', waiting] } }, d: null },
        values,
      ),
    ).toEqual({ a: 'v', b: waiting, c: { 'Std:Join': { On: '', Values: ['x', waiting] } } });
  });

  it('tells expressions from maps that merely have such a key', () => {
    expect(isExpression({ Get: 'x' })).toBe(true);
    expect(isExpression({ Get: 'x', Put: 'y' })).toBe(false);
    expect(isExpression([{ Get: 'x' }])).toBe(false);
    expect(
      referencedSteps([
        { a: { Get: 'Steps.A.X' } },
        { 'Std:Join': { Values: [{ Get: 'Steps.B.Y' }, { Get: 'Steps.A.Z' }] } },
      ]),
    ).toEqual(['A', 'B']);
  });
});

describe('conditions', () => {
  const scalar = fc.oneof(fc.integer(), fc.string());
  const compare = (Type: string, LeftValue: unknown, RightValue: unknown) =>
    holds({ Type, LeftValue, RightValue } as Condition);

  it('order numbers by value and texts letter by letter', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })), fc.tuple(fc.string(), fc.string())),
        ([a, b]) => {
          expect(compare('LessThan', a, b)).toBe(!compare('GreaterThanOrEqualTo', a, b));
          expect(compare('GreaterThan', a, b)).toBe(!compare('LessThanOrEqualTo', a, b));
          expect(compare('GreaterThan', a, b)).toBe(compare('LessThan', b, a));
          expect(compare('Equals', a, b)).toBe(
            compare('LessThanOrEqualTo', a, b) && compare('GreaterThanOrEqualTo', a, b),
          );
        },
      ),
    );
    expect(compare('LessThan', '10', '9')).toBe(true);
    expect(compare('LessThan', 10, 9)).toBe(false);
  });

  it('have Not, Or and In as logic has them', () => {
    fc.assert(
      fc.property(fc.integer({ max: 5 }), fc.array(fc.integer({ max: 5 }), { minLength: 1 }), (query, values) => {
        const equals = values.map((value): Condition => ({ Type: 'Equals', LeftValue: query, RightValue: value }));
        const within = holds({ Type: 'In', QueryValue: query, Values: values });
        expect(within).toBe(values.includes(query));
        expect(holds({ Type: 'Or', Conditions: equals })).toBe(within);
        expect(holds({ Type: 'Not', Condition: { Type: 'Or', Conditions: equals } })).toBe(!within);
      }),
    );
  });

  it('refuse mixed types and what is no primitive', () => {
    fc.assert(
      fc.property(scalar, (value) => {
        expect(() => compare('Equals', value, typeof value === 'string' ? 1 : '1')).toThrow(EvaluationError);
        expect(() => compare('Equals', value, [value])).toThrow(EvaluationError);
        expect(() => compare('Equals', value, undefined)).toThrow(EvaluationError);
      }),
    );
  });
});

describe('parameters', () => {
  it('come back as the text that they were written as', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.tuple(fc.constant<ParameterType>('Integer'), fc.integer()),
          fc.tuple(fc.constant<ParameterType>('Float'), fc.double({ noNaN: true, noDefaultInfinity: true })),
          fc.tuple(fc.constant<ParameterType>('Boolean'), fc.boolean()),
          fc.tuple(fc.constant<ParameterType>('String'), fc.string()),
        ),
        ([type, value]) => {
          expect(readParameter(formatScalar(value, type), type)).toEqual(value === 0 ? 0 : value);
        },
      ),
    );
  });

  it.each<[string, ParameterType]>([
    ['1.5', 'Integer'],
    ['', 'Integer'],
    ['x', 'Float'],
    ['', 'Float'],
    ['NaN', 'Float'],
    ['Infinity', 'Float'],
    ['yes', 'Boolean'],
    ['1', 'Boolean'],
  ])('%j is no %s', (text, type) => {
    expect(readParameter(text, type)).toBeUndefined();
  });

  it("accept Python's True and False", () => {
    expect(readParameter('True', 'Boolean')).toBe(true);
    expect(readParameter('false', 'Boolean')).toBe(false);
  });

  it('report a name that is given twice', () => {
    const { problems } = bindParameters(
      [{ name: 'A', type: 'String' }],
      [
        { Name: 'A', Value: '1' },
        { Name: 'A', Value: '2' },
      ],
    );
    expect(problems).toEqual(["Parameter 'A' is given twice"]);
  });
});

describe('durations', () => {
  const day = 86_400_000;
  it.each([
    ['30d', 30 * day],
    ['P30D', 30 * day],
    ['5y', 5 * 365 * day],
    ['T16m', 16 * 60_000],
    ['30dT5h', 30 * day + 5 * 3_600_000],
    ['PT1H', 3_600_000],
    ['p1w', 7 * day],
    ['2m', 60 * day],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
  it.each(['', 'P', 'T', '16', 'd30', '1h', 'P1D1D', 'soon'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
