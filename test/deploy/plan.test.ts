import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { intentOf, operationId, runPrefix } from '../../src/stacksets/intent.ts';
import type { Definition, Instance, StackSetState, Wanted } from '../../src/stacksets/model.ts';
import { nextStep, type Plan, plan, type Step } from '../../src/stacksets/plan.ts';

const definition: Definition = {
  name: 'sagemaker-n-p-1-deploy-production',
  description: 'd',
  templateBody: 'Resources: {}',
  parameters: { ModelPackageName: 'arn:1' },
  tags: { a: 'b' },
  administrationRoleArn: 'arn:admin',
  executionRoleName: 'execution',
  capabilities: [],
};
const [a, b, c] = ['111111111111', '222222222222', '333333333333'] as const;
const region = 'eu-west-1';
const preferences = { maxConcurrentCount: 10, failureToleranceCount: 0, concurrencyMode: 'soft' } as const;

const wantedOf = (waves: string[][], more: Partial<Definition> = {}): Wanted => ({
  definition: { ...definition, ...more },
  region,
  waves,
  preferences,
});
const instance = (account: string, more: Partial<Instance> = {}): Instance => ({
  account,
  region,
  status: 'CURRENT',
  detailedStatus: 'SUCCEEDED',
  statusReason: undefined,
  stackId: undefined,
  lastOperationId: undefined,
  ...more,
});
const stateOf = (...instances: Instance[]): StackSetState => ({ definition, arn: 'arn', instances });
const missing: StackSetState = { definition: undefined, arn: undefined, instances: [] };
const step = (state: StackSetState, wanted: Wanted, failed: string[] = []) =>
  nextStep(plan(state, wanted), wanted, new Set(failed));

const isEmpty = ({ setMissing, differences, created, updated, removed }: Plan) =>
  !setMissing && [differences, created, updated, removed].every((list) => list.length === 0);

describe('plan', () => {
  test('nothing differs: nothing to do', () => {
    const wanted = wantedOf([[a, b]]);
    const planned = plan(stateOf(instance(a), instance(b)), wanted);
    expect(isEmpty(planned)).toBe(true);
    expect(planned.unchanged).toHaveLength(2);
    expect(nextStep(planned, wanted, new Set())).toBeUndefined();
  });

  test.each([
    ['template', { templateBody: 'Resources: {A: {}}' }, 'template'],
    ['a parameter', { parameters: { ModelPackageName: 'arn:2' } }, 'parameter ModelPackageName'],
    ['a further parameter', { parameters: { ModelPackageName: 'arn:1', X: '' } }, 'parameter X'],
    ['a tag', { tags: { a: 'c' } }, 'tag a'],
    ['the administration role', { administrationRoleArn: 'arn:other' }, 'administration role'],
    ['the execution role', { executionRoleName: 'other' }, 'execution role'],
    ['a capability', { capabilities: ['CAPABILITY_NAMED_IAM'] }, 'capabilities'],
  ])('%s differs: every instance is updated', (_, more, name) => {
    const planned = plan(stateOf(instance(a), instance(b)), wantedOf([[a, b]], more));
    expect(planned.differences).toEqual([name]);
    expect(planned.updated.map(({ account }) => account)).toEqual([a, b]);
  });

  test.each([
    [{ status: 'OUTDATED' }],
    [{ status: 'OUTDATED', detailedStatus: 'FAILED' }],
    [{ detailedStatus: 'CANCELLED' }],
    [{ detailedStatus: 'RUNNING' }],
  ])('an instance that is %j is updated', (more) => {
    const planned = plan(stateOf(instance(a), instance(b, more)), wantedOf([[a, b]]));
    expect(planned.updated).toEqual([{ account: b, region }]);
  });

  test('accounts appear, disappear, and lie in another region', () => {
    const planned = plan(stateOf(instance(a), instance(c), instance(a, { region: 'eu-west-2' })), wantedOf([[a, b]]));
    expect(planned.created).toEqual([{ account: b, region }]);
    expect(planned.removed).toEqual([
      { account: c, region },
      { account: a, region: 'eu-west-2' },
    ]);
  });

  test('an inoperable instance is named, not updated', () => {
    const planned = plan(stateOf(instance(a, { status: 'INOPERABLE' })), wantedOf([[a]], { templateBody: 'x' }));
    expect(planned.inoperable).toHaveLength(1);
    expect(planned.updated).toEqual([]);
  });
});

describe('nextStep', () => {
  test('the set first, then instances, waves one after the other, removals last', () => {
    const wanted = wantedOf([[a], [b]]);
    expect(step(missing, wanted)).toEqual({ action: 'create-set' });
    expect(step(stateOf(), wanted)).toEqual({ action: 'create', accounts: [a] });
    expect(step(stateOf(instance(a)), wanted)).toEqual({ action: 'create', accounts: [b] });
    expect(step(stateOf(instance(a), instance(b), instance(c)), wanted)).toEqual({
      action: 'remove',
      accounts: [c],
      region,
    });
    expect(step(stateOf(instance(a), instance(b)), wanted)).toBeUndefined();
  });

  test('a changed definition goes to the first wave that has instances, before anything is created', () => {
    const wanted = wantedOf([[a], [b, c]], { templateBody: 'new' });
    expect(step(stateOf(instance(b), instance(c)), wanted)).toEqual({ action: 'update', accounts: [b, c] });
    expect(step(stateOf(instance(a), instance(b)), wanted)).toEqual({ action: 'update', accounts: [a] });
    expect(step(stateOf(), wanted)).toEqual({ action: 'update', accounts: [] });
  });

  test('after the first wave the outdated rest follows', () => {
    const outdated = stateOf(instance(a), instance(b, { status: 'OUTDATED' }));
    expect(step(outdated, wantedOf([[a], [b]]))).toEqual({ action: 'redeploy', accounts: [b] });
  });

  test('what failed in this run is not tried twice', () => {
    const outdated = stateOf(instance(a, { status: 'OUTDATED' }), instance(b, { status: 'OUTDATED' }));
    expect(step(outdated, wantedOf([[a], [b]]), [a])).toEqual({ action: 'redeploy', accounts: [b] });
    expect(step(outdated, wantedOf([[a, b]]), [a, b])).toBeUndefined();
  });

  /** The stack set as AWS would leave it after a step. */
  function after(state: StackSetState, wanted: Wanted, done: Step): StackSetState {
    if (done.action === 'create-set') return { definition: wanted.definition, arn: 'arn', instances: [] };
    const touched = new Set(done.accounts);
    if (done.action === 'remove')
      return {
        ...state,
        instances: state.instances.filter((one) => !(touched.has(one.account) && one.region === done.region)),
      };
    if (done.action === 'create')
      return { ...state, instances: [...state.instances, ...done.accounts.map((account) => instance(account))] };
    const changed = JSON.stringify(state.definition) !== JSON.stringify(wanted.definition);
    return {
      ...state,
      definition: wanted.definition,
      instances: state.instances.map((one) =>
        touched.has(one.account) && one.region === region
          ? instance(one.account)
          : changed
            ? { ...one, status: 'OUTDATED' }
            : one,
      ),
    };
  }

  test('from any state the steps end where they should, and each account is created or updated at most once', () => {
    const account = fc.constantFrom(...Array.from({ length: 6 }, (_, index) => String(111111111111 + index)));
    const arbitraryInstance = fc
      .record({ account, status: fc.constantFrom('CURRENT', 'OUTDATED'), where: fc.constantFrom(region, 'eu-west-2') })
      .map(({ account: id, status, where }) => instance(id, { status, region: where }));
    const waves = fc
      .uniqueArray(account, { minLength: 1 })
      .chain((accounts) =>
        fc
          .array(fc.nat(2), { minLength: accounts.length, maxLength: accounts.length })
          .map((numbers) =>
            [0, 1, 2]
              .map((wave) => accounts.filter((_, index) => numbers[index] === wave))
              .filter((wave) => wave.length > 0),
          ),
      );
    fc.assert(
      fc.property(
        fc.uniqueArray(arbitraryInstance, { selector: (one) => `${one.account}/${one.region}` }),
        fc.boolean(),
        fc.constantFrom('Resources: {}', 'new'),
        waves,
        (instances, exists, templateBody, chosen) => {
          const wanted = wantedOf(chosen, { templateBody });
          let state: StackSetState = exists ? { definition, arn: 'arn', instances } : missing;
          const touched: string[] = [];
          for (let round = 0; ; round += 1) {
            expect(round).toBeLessThan(30);
            const next = nextStep(plan(state, wanted), wanted, new Set());
            if (next === undefined) break;
            if (next.action !== 'create-set' && next.action !== 'remove') touched.push(...next.accounts);
            state = after(state, wanted, next);
          }
          expect(isEmpty(plan(state, wanted))).toBe(true);
          expect(new Set(touched).size).toBe(touched.length);
        },
      ),
    );
  });
});

describe('operation ids', () => {
  const update: Step = { action: 'update', accounts: [a, b] };

  test('fit CloudFormation, begin with the run, and differ by generation', () => {
    const id = operationId('9876543210', update, intentOf(update, wantedOf([[a, b]])), 12);
    expect(id).toMatch(/^[a-zA-Z0-9][-a-zA-Z0-9]{0,127}$/);
    expect(id.startsWith(runPrefix('9876543210'))).toBe(true);
    expect(runPrefix('98765432101').startsWith(runPrefix('9876543210'))).toBe(false);
  });

  test('equal work has an equal intent; every part of the work counts', () => {
    const wanted = wantedOf([[a, b]]);
    const intent = intentOf(update, wanted);
    expect(intentOf({ ...update, accounts: [b, a] }, wantedOf([[b], [a]]))).toBe(intent);
    const others = [
      intentOf({ ...update, accounts: [a] }, wanted),
      intentOf({ action: 'create', accounts: [a, b] }, wanted),
      intentOf(update, wantedOf([[a, b]], { templateBody: 'x' })),
      intentOf(update, wantedOf([[a, b]], { parameters: {} })),
      intentOf(update, wantedOf([[a, b]], { tags: {} })),
      intentOf(update, { ...wanted, region: 'eu-west-2' }),
      intentOf(update, { ...wanted, preferences: { ...preferences, failureToleranceCount: 1 } }),
    ];
    expect(new Set([intent, ...others]).size).toBe(others.length + 1);
  });
});
