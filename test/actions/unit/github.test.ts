import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type FailureError, sentence } from '../../../src/failure.ts';
import { createCancellation } from '../../../src/github/cancellation.ts';
import { readInputs } from '../../../src/github/inputs.ts';
import { type InputSpecifications, parseKind } from '../../../src/github/kinds.ts';
import { harmless } from '../../../src/github/logger.ts';
import { audienceOf, claimsOf, fetchIdToken } from '../../../src/github/oidc.ts';
import { createOutputs } from '../../../src/github/outputs.ts';
import { failureJson, failuresOf } from '../../../src/github/report.ts';
import { nearest } from '../../../src/github/suggest.ts';
import { codeSpan, createSummary, plain } from '../../../src/github/summary.ts';

describe('inputs', () => {
  const specifications: InputSpecifications = {
    'aws-region': { kind: 'region', required: true },
    'timeout-minutes': { kind: 'minutes', required: false, default: '30' },
    mode: { kind: { choice: ['check', 'record'] }, required: false, default: 'check' },
    parameters: { kind: 'mapping', required: false },
    list: { kind: 'list', required: false },
    flag: { kind: 'boolean', required: false, default: 'false' },
  };
  const read = (inputs: Record<string, string>) =>
    readInputs<Record<string, unknown>>(
      specifications,
      Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    );
  const problems = async (inputs: Record<string, string>) => {
    try {
      await read(inputs);
    } catch (error) {
      return (error as FailureError).failures.map(({ resource, cause }) => `${resource}: ${cause}`);
    }
    return [];
  };

  test('defaults, kinds and absence', async () => {
    expect(await read({ 'aws-region': ' eu-west-1 ' })).toEqual({
      'aws-region': 'eu-west-1',
      'timeout-minutes': 30,
      mode: 'check',
      parameters: undefined,
      list: undefined,
      flag: false,
    });
    expect(
      await read({
        'aws-region': 'us-gov-west-1',
        parameters: '{"A": 1, "B": true}',
        list: '- a\n- b',
        flag: 'TRUE',
        'timeout-minutes': '7',
      }),
    ).toMatchObject({ parameters: { A: '1', B: 'true' }, list: ['a', 'b'], flag: true, 'timeout-minutes': 7 });
    expect((await read({ 'aws-region': 'eu-west-1', list: 'a, b\nc' })).list).toEqual(['a', 'b', 'c']);
  });

  test('regions of every partition', async () => {
    for (const name of [
      'eu-west-1',
      'us-gov-west-1',
      'cn-northwest-1',
      'us-iso-east-1',
      'us-isob-east-1',
      'eusc-de-east-1',
      'mx-central-1',
    ]) {
      expect(await parseKind('region', name)).toBe(name);
    }
    for (const name of ['europe', 'eu-west', 'EU-WEST-1', 'eu-west-1a'])
      await expect(parseKind('region', name)).rejects.toThrow(/such as/);
  });

  test('white space alone is not given', async () => {
    expect(await problems({ 'aws-region': '   ' })).toEqual([
      'aws-region: Input `aws-region` is required and was not given',
    ]);
  });

  test('all problems together, in the order of action.yml', async () => {
    const found = await problems({ 'timeout-minutes': '2h', mode: 'chekc', parameters: '[1]', flag: 'yes' });
    expect(found.map((line) => line.split(':')[0])).toEqual([
      'aws-region',
      'timeout-minutes',
      'mode',
      'parameters',
      'flag',
    ]);
    expect(found[2]).toContain('did you mean check?');
  });

  test('a slip in the name of an optional input is an error, an unrelated variable is not', async () => {
    expect((await problems({ 'aws-region': 'eu-west-1', parameter: 'x: 1' }))[0]).toContain('did you mean parameters?');
    expect(await problems({ 'aws-region': 'eu-west-1', 'something-else-entirely': 'x' })).toEqual([]);
  });

  test('nothing that a user may write ends in anything but a value or a told problem', async () => {
    const kinds = [
      'region',
      'account',
      'role-arn',
      'role-arns',
      'arn',
      'name',
      'minutes',
      'integer',
      'percentage',
      'mapping',
      'list',
      'boolean',
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...kinds),
        fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })),
        async (kind, text) => {
          try {
            await parseKind(kind, text);
          } catch (error) {
            expect((error as Error).constructor.name).toBe('InputProblem');
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('suggestions are near or absent', () => {
    expect(nearest('eu-west-l', ['eu-west-1', 'us-east-1'])).toBe('eu-west-1');
    expect(nearest('completely-different', ['eu-west-1'])).toBeUndefined();
    expect(nearest('ab', ['ba'])).toBe('ba');
  });
});

describe('outputs', () => {
  test('a masked text never becomes an output', () => {
    const set: string[] = [];
    const outputs = createOutputs({ setOutput: (name) => set.push(name), setSecret: () => undefined });
    outputs.mask('secret-value');
    expect(() => outputs.set('arn', 'arn:secret-value:x')).toThrow(/masked/);
    outputs.set('arn', outputs.scrub('arn:secret-value'));
    expect(outputs.values.get('arn')).toBe('arn:***');
    expect(set).toEqual(['arn']);
  });

  test('a tiny text is not masked: it would blank out ordinary words', () => {
    const masked: string[] = [];
    const outputs = createOutputs({ setOutput: () => undefined, setSecret: (secret) => masked.push(secret) });
    outputs.mask('');
    outputs.mask('abc');
    outputs.mask('long enough');
    expect(masked).toEqual(['long enough']);
  });

  test('failure JSON: a closed form, bounded', () => {
    const failures = Array.from({ length: 80 }, (_, index) => ({
      code: 'InstanceFailed' as const,
      cause: `c${index}`,
      logTail: Array.from({ length: 100 }, () => 'x'.repeat(1_000)),
    }));
    const parsed = JSON.parse(failureJson('deploy', failures));
    expect(parsed).toMatchObject({ action: 'deploy', total: 80 });
    expect(parsed.failures).toHaveLength(50);
    expect(parsed.failures[0].logTail).toHaveLength(40);
    expect(JSON.stringify(parsed).length).toBeLessThan(1_100_000);
  });

  test('what is no failure of ours is a defect and says so', () => {
    expect(failuresOf(new TypeError('x is not a function'))[0]).toMatchObject({ code: 'InternalError' });
    expect(failuresOf('text')[0]!.cause).toContain('text');
  });

  test('one sentence names place and remedy, and nothing twice', () => {
    expect(
      sentence({
        code: 'NotFound',
        cause: 'No such thing.',
        account: '111122223333',
        region: 'eu-west-1',
        resource: 'r',
        hint: 'Make it.',
      }),
    ).toBe('No such thing (111122223333, eu-west-1, r). Make it.'.replace('111122223333', 'account 111122223333'));
    expect(sentence({ code: 'NotFound', cause: 'thing r is gone', resource: 'r' })).toBe('thing r is gone.');
  });
});

describe('words of others', () => {
  test('can not be read as a workflow command, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.constantFrom('::set-output name=a::b', '##[error]x', '\u001b[31m::error::x', '\r::error::x'),
        ),
        (line) => {
          const shown = `| ${harmless(line)}`;
          expect(shown).not.toMatch(/^\s*::/m);
          expect(shown).not.toContain('##[');
          expect(shown).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });

  test('are no markup in a summary', () => {
    expect(plain('<img src=x> *a* | b @ada')).toBe('&lt;img src=x&gt; \\*a\\* \\| b @\u200bada');
    // An address stays a link: a backslash would be part of it.
    expect(plain('by http://127.0.0.1:80/_github/a_b/actions/runs/1, *now*')).toBe(
      'by http://127.0.0.1:80/_github/a_b/actions/runs/1, \\*now\\*',
    );
    expect(plain('http://x/a|b`c](http://y)*<b>')).toBe('http://x/a%7Cb%60c%5D(http://y)%2A&lt;b&gt;');
    expect(codeSpan('a|b<c>')).toBe('<code>a&#124;b&#60;c&#62;</code>');
  });
});

describe('summary', () => {
  const written = (fill: (summary: ReturnType<typeof createSummary>) => void): string => {
    const folder = mkdtempSync(join(tmpdir(), 'summary-'));
    const file = join(folder, 'summary');
    const summary = createSummary(file, () => undefined);
    fill(summary);
    summary.write();
    const text = readFileSync(file, 'utf8');
    rmSync(folder, { recursive: true });
    return text;
  };

  test('stays below what GitHub shows, and says what it left out', () => {
    const text = written((summary) => {
      for (let part = 0; part < 50; part += 1) summary.text('ä'.repeat(20_000));
    });
    expect(Buffer.byteLength(text)).toBeLessThan(1_048_576);
    expect(text).toContain('left out');
  });

  test('puts what went wrong first', () => {
    const text = written((summary) => {
      summary.heading('Later');
      summary.top('First');
    });
    expect(text.indexOf('First')).toBeLessThan(text.indexOf('Later'));
  });

  test('fences whatever a log holds', () => {
    expect(written((summary) => summary.code('a ```` b'))).toMatch(/^`{5}\n/);
  });

  test('a file that cannot be written is a warning, no failure', () => {
    const warnings: string[] = [];
    const summary = createSummary('/nowhere/at/all', (message) => warnings.push(message));
    summary.text('x');
    summary.write();
    expect(warnings).toHaveLength(1);
  });
});

describe('OIDC token', () => {
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://runner/token?v=1', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer' };
  const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

  test('is masked, minted for the audience and asked for again after a server error', async () => {
    const asked: string[] = [];
    const masked: string[] = [];
    const answers = [answer(503, {}), answer(200, { value: 'token' })];
    const get = (async (url: string) => {
      asked.push(url);
      return answers.shift()!;
    }) as typeof fetch;
    expect(
      await fetchIdToken({
        env,
        audience: audienceOf('cn-north-1'),
        mask: (secret) => masked.push(secret),
        fetch: get,
      }),
    ).toBe('token');
    expect(asked).toEqual(Array(2).fill('https://runner/token?v=1&audience=sts.amazonaws.com.cn'));
    expect(masked).toEqual(['token']);
  });

  test('a refusal is not repeated', async () => {
    let calls = 0;
    const get = (async () => {
      calls += 1;
      return answer(403, {});
    }) as typeof fetch;
    await expect(fetchIdToken({ env, audience: 'a', mask: () => undefined, fetch: get })).rejects.toThrow(/HTTP 403/);
    expect(calls).toBe(1);
  });

  test('claims of anything are an object', () => {
    expect(claimsOf('not a token')).toEqual({});
    expect(claimsOf(`x.${Buffer.from('{"sub":"s"}').toString('base64url')}.y`)).toEqual({ sub: 's' });
  });
});

describe('cancellation', () => {
  test('one way out, whatever signals come', async () => {
    const signals = new EventEmitter();
    const log: string[] = [];
    const cancellation = createCancellation({
      signals: signals as unknown as NodeJS.Process,
      exit: (code) => log.push(`exit ${code}`),
      report: (signal, operation, stopping) => log.push(`${signal} ${operation?.resource} ${stopping}`),
    });
    cancellation.operation = {
      resource: 'arn',
      describe: () => '',
      resume: '',
      stop: async () => void log.push('stop'),
    };
    cancellation.onCancel = 'stop';
    signals.emit('SIGINT');
    signals.emit('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(log).toEqual(['SIGINT arn true', 'stop', 'exit 130']);
    expect(cancellation.signal.aborted).toBe(true);
  });
});
