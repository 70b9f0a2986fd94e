/** Failures as people read them: short words, and one tale for accounts that fail alike. */
import { describe, expect, test } from '@jest/globals';
import type { Failure } from '../../src/failure.ts';
import { annotate, failureJson, groupFailures, summarize } from '../../src/github/report.ts';
import { explain } from '../../src/stacksets/causes.ts';
import { inShort } from '../../src/stacksets/words.ts';

const types = Array.from({ length: 250 }, (_, index) => `ml.c${index}.xlarge`);
const enumeration = `Resource handler returned message: "1 validation error detected: Value 'ml.x9.large' at 'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must satisfy enum value set: [${[...types, 'ml.m5.large', 'ml.m4.large', 'ml.x9.xlarge'].join(', ')}] (Service: SageMaker, Status Code: 400, Request ID: 0a1b) (SDK Attempt Count: 1)" (RequestToken: 9f, HandlerErrorCode: InvalidRequest)`;

describe('inShort', () => {
  test('a list of allowed values: those nearest to the one that was given, and how many there are', () => {
    expect(inShort(enumeration)).toBe(
      "1 validation error detected: Value 'ml.x9.large' at 'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must satisfy enum value set: [ml.x9.xlarge, ml.c9.xlarge, ml.m5.large and 250 more]",
    );
    expect(inShort("Value 'x' must satisfy enum value set: [a, b]")).toBe(
      "Value 'x' must satisfy enum value set: [a, b]",
    );
  });

  test('numbers for support go, words in brackets stay', () => {
    expect(
      inShort(
        'User: arn:aws:sts::1:assumed-role/r/s is not authorized (explicit deny) (Status Code: 400, Error Code: AccessDeniedException, Request ID: 82)',
      ),
    ).toBe('User: arn:aws:sts::1:assumed-role/r/s is not authorized (explicit deny)');
    expect(inShort('The stack\n  is gone')).toBe('The stack is gone');
    expect(inShort('x'.repeat(5_000))).toHaveLength(703);
  });
});

test('an instance that failed: short cause, and the cure that the whole words lead to', async () => {
  const failure = await explain(
    {
      account: '777788889999',
      region: 'eu-west-1',
      status: 'FAILED',
      reason: `ResourceLogicalId:EndpointConfig, ResourceType:AWS::SageMaker::EndpointConfig, ResourceStatusReason:${enumeration}.`,
    },
    {
      adminRegion: 'eu-west-1',
      project: { name: 'abalone', id: 'p-0123456789ab' },
      inAccount: () => {
        throw new Error('nobody asks');
      },
      instances: [],
      since: undefined,
      deep: true,
      signal: new AbortController().signal,
    },
  );
  expect(failure).toMatchObject({ code: 'InstanceFailed', logicalId: 'EndpointConfig', account: '777788889999' });
  expect(failure.cause.length).toBeLessThan(250);
  expect(failure.hint).toContain('instance type');
});

describe('failures of several accounts', () => {
  const alike = ['777788889999', '888899990000'].map(
    (account, index): Failure => ({
      code: 'InstanceFailed',
      account,
      region: 'eu-west-1',
      resource: `arn:aws:sagemaker:eu-west-1:${account}:model/Model-${index}`,
      logicalId: 'Model',
      cause: `The role of ${account} may not delete arn:aws:sagemaker:eu-west-1:${account}:model/Model-${index}`,
      hint: `Let it, in ${account}`,
    }),
  );
  const other: Failure = { ...alike[1]!, cause: 'Something else' };
  const twin: Failure = { ...alike[0]!, resource: 'arn:aws:sagemaker:eu-west-1:777788889999:model/Model-7' };
  const told = (failures: Failure[]) => {
    const lines: string[] = [];
    const logger = new Proxy({}, { get: () => (line: string) => lines.push(line) }) as any;
    annotate('deploy-stack-set', failures, logger);
    const tables: string[] = [];
    summarize('deploy-stack-set', failures, { top: (text: string) => tables.push(text) } as any);
    return {
      lines,
      rows: tables[0]!.split('\n').filter((line) => line.startsWith('| <code>') || line.startsWith('| `')),
    };
  };

  test('that fail alike are told once, with all of them; the output keeps each', () => {
    expect(groupFailures([...alike, other]).map(({ failures }) => failures.length)).toEqual([2, 1]);
    const { lines, rows } = told([...alike, other]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('(Model, 2 accounts: 777788889999, 888899990000, eu-west-1).');
    expect(rows).toHaveLength(2);
    expect(rows[0]).toContain('777788889999, 888899990000');
    for (const { resource } of alike) expect(rows[0]).toContain(resource);
    expect(JSON.parse(failureJson('deploy-stack-set', [...alike, other]))).toMatchObject({
      total: 3,
      failures: [...alike, other],
    });
  });

  test('two things of one account stay two', () => {
    expect(groupFailures([alike[0]!, twin]).map(({ failures }) => failures.length)).toEqual([1, 1]);
    expect(told([alike[0]!, twin]).lines).toHaveLength(2);
  });

  test('two hundred accounts are one line of bounded length', () => {
    const many = Array.from({ length: 200 }, (_, index) => ({ ...other, account: String(100_000_000_000 + index) }));
    const { lines } = told(many);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('200 accounts: 100000000000,');
    expect(lines[0]).toContain('and 190 more');
    expect(lines[0]!.length).toBeLessThan(500);
  });

  test('what is not about an account is never put together', () => {
    const { account: _, region: __, ...nowhere } = other;
    expect(groupFailures([nowhere, nowhere])).toHaveLength(2);
  });
});
