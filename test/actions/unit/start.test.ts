import {
  DescribePipelineExecutionCommand,
  ListPipelineExecutionsCommand,
  RetryPipelineExecutionCommand,
  StartPipelineExecutionCommand,
} from '@aws-sdk/client-sagemaker';
import { describe, expect, test } from '@jest/globals';
import { AwsCallError } from '../../../src/aws/errors.ts';
import type { Service } from '../../../src/aws/session.ts';
import { displayName, startOrAttach } from '../../../src/pipelines/start.ts';

interface Execution {
  name: string;
  arn: string;
  /** What each look at it finds, the last one for ever. */
  states: string[];
}

const intent = 'a'.repeat(64);
const request = {
  pipelineName: 'p',
  fresh: false,
  parameters: { A: '1' },
  runId: '7',
  intent,
  description: 'd',
  selectedSteps: undefined,
  sourceExecution: undefined,
};

/** Executions listed newest first in pages of one, and what was sent. */
function fake(executions: Execution[], retryError?: string) {
  const sent: { name: string; input: any }[] = [];
  const service: Service = {
    async send(command) {
      const input = command.input as any;
      if (command instanceof ListPipelineExecutionsCommand) {
        sent.push({ name: 'list', input });
        const at = Number(input.NextToken ?? '0');
        const found = executions[at];
        return {
          PipelineExecutionSummaries:
            found === undefined ? [] : [{ PipelineExecutionDisplayName: found.name, PipelineExecutionArn: found.arn }],
          ...(at + 1 < executions.length ? { NextToken: String(at + 1) } : {}),
        } as any;
      }
      if (command instanceof DescribePipelineExecutionCommand) {
        const { states } = executions.find(({ arn }) => arn === input.PipelineExecutionArn)!;
        sent.push({ name: 'describe', input });
        return {
          PipelineExecutionStatus: states.length > 1 ? states.shift() : states[0],
          LastModifiedTime: new Date(5),
        } as any;
      }
      if (command instanceof RetryPipelineExecutionCommand) {
        sent.push({ name: 'retry', input });
        if (retryError !== undefined)
          throw new AwsCallError({ code: 'Conflict', cause: 'no' }, retryError, 'Retry', 409, new Error('no'));
        return {} as any;
      }
      if (command instanceof StartPipelineExecutionCommand) {
        sent.push({ name: 'start', input });
        return { PipelineExecutionArn: 'new' } as any;
      }
      throw new Error('unexpected');
    },
  };
  return { service, sent, names: () => sent.map(({ name }) => name) };
}

const clock = { now: () => 1e12, sleep: async () => undefined };
const run = (executions: Execution[], retryError?: string, more: object = {}) => {
  const world = fake(executions, retryError);
  return startOrAttach(world.service, { ...request, ...more }, clock, new AbortController().signal).then((started) => ({
    started,
    ...world,
  }));
};
const own = (generation: number, ...states: string[]) => ({
  name: displayName('7', intent, generation),
  arn: `g${generation}`,
  states,
});
const foreign = (name: string) => ({ name, arn: 'foreign', states: ['Executing'] });

describe('the execution of a run', () => {
  test('is started when there is none, with a token that the attempt is no part of', async () => {
    const first = await run([foreign('gha-70-aaaaaaaa-g1'), foreign('gha-7-bbbbbbbb-g1'), foreign('by hand')]);
    expect(first.started).toEqual({ executionArn: 'new', how: 'started' });
    const again = await run([]);
    const tokens = [first, again].map(({ sent }) => sent.at(-1)!.input.ClientRequestToken);
    expect(tokens[0]).toBe(tokens[1]);
    expect(tokens[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(first.sent.at(-1)!.input.PipelineExecutionDisplayName).toBe('gha-7-aaaaaaaa-g1');
  });

  test.each(['Executing', 'Succeeded'])('is attached to while %s', async (state) => {
    const { started, names } = await run([foreign('by hand'), own(1, state)]);
    expect(started).toEqual({ executionArn: 'g1', how: 'attached' });
    expect(names()).toEqual(['list', 'list', 'describe']);
  });

  test('is retried after a failure, once per failure', async () => {
    const { started, sent } = await run([own(1, 'Failed')]);
    expect(started).toEqual({ executionArn: 'g1', how: 'retried' });
    const again = await run([own(1, 'Failed')]);
    expect(again.sent.at(-1)!.input.ClientRequestToken).toBe(sent.at(-1)!.input.ClientRequestToken);
  });

  test('becomes the next generation when it cannot be retried', async () => {
    const { started, sent, names } = await run([own(2, 'Failed'), own(1, 'Failed')], 'ConflictException');
    expect(started).toEqual({ executionArn: 'new', how: 'started' });
    expect(names()).toEqual(['list', 'list', 'describe', 'retry', 'start']);
    expect(sent.at(-1)!.input.PipelineExecutionDisplayName).toBe('gha-7-aaaaaaaa-g3');
    const first = await run([]);
    expect(sent.at(-1)!.input.ClientRequestToken).not.toBe(first.sent.at(-1)!.input.ClientRequestToken);
  });

  test('is waited for while it stops, then becomes the next generation', async () => {
    const { names, started } = await run([own(1, 'Stopping', 'Stopping', 'Stopped')]);
    expect(names()).toEqual(['list', 'describe', 'describe', 'describe', 'start']);
    expect(started.how).toBe('started');
  });

  test('of a pipeline made just now is not looked for', async () => {
    const { names } = await run([own(1, 'Executing')], undefined, { fresh: true });
    expect(names()).toEqual(['start']);
  });
});
