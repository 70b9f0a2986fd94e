/** Random graphs with random failures: whatever the order in which jobs end, the scheduler keeps its promises. */

import { DeletePipelineCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { processing } from './support/definitions.ts';
import { pipelineClient } from './support/pipelines.ts';
import { createWorld, token, type World } from './support/world.ts';

let world: World;
let pipeline: ReturnType<typeof pipelineClient>;
beforeAll(async () => {
  world = await createWorld();
  await world.createRoles();
  pipeline = pipelineClient(world);
});
afterAll(() => world.close());

interface Node {
  /** Places of earlier nodes that this one waits for. */
  needs: number[];
  fails: boolean;
  /** Turns of the event loop that its job takes. */
  turns: number;
}

const graph: fc.Arbitrary<Node[]> = fc
  .array(
    fc.record({
      picks: fc.array(fc.nat(), { maxLength: 3 }),
      failure: fc.nat(5),
      turns: fc.nat(6),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((nodes) =>
    nodes.map(({ picks, failure, turns }, index) => ({
      needs: index === 0 ? [] : [...new Set(picks.map((pick) => pick % index))],
      fails: failure === 1,
      turns,
    })),
  );

const name = (index: number) => `S${index}`;

it('starts a step only after what it needs, nothing after a failure, never too many at once', async () => {
  await fc.assert(
    fc.asyncProperty(graph, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (nodes, parallel, reversed) => {
      const log: { step: number; what: 'start' | 'end' }[] = [];
      for (const [step, node] of nodes.entries()) {
        world.jobs.when(`-${name(step)}-`, async () => {
          log.push({ step, what: 'start' });
          for (let turn = 0; turn < node.turns; turn++) await new Promise(setImmediate);
          log.push({ step, what: 'end' });
          return node.fails ? { status: 'Failed', failureReason: 'AlgorithmError' } : { status: 'Completed' };
        });
      }
      const steps = nodes.map((node, index) => processing(name(index), { DependsOn: node.needs.map(name) }));
      await pipeline.create({ Version: '2020-12-01', Steps: reversed ? steps.reverse() : steps });
      const arn = await pipeline.start({}, { ParallelismConfiguration: { MaxParallelExecutionSteps: parallel } });
      const outcome = await pipeline.outcome(arn);
      const status = (await pipeline.describe(arn)).PipelineExecutionStatus;
      await pipeline.sagemaker.send(new DeletePipelineCommand({ PipelineName: 'abalone', ClientRequestToken: token }));

      const started = log.filter(({ what }) => what === 'start').map(({ step }) => step);
      const position = (step: number, what: string) =>
        log.findIndex((entry) => entry.step === step && entry.what === what);
      for (const step of started) {
        for (const need of nodes[step]?.needs ?? []) {
          expect(nodes[need]?.fails).toBe(false);
          expect(position(need, 'end')).toBeLessThan(position(step, 'start'));
        }
      }
      let running = 0;
      for (const { what } of log) {
        running += what === 'start' ? 1 : -1;
        expect(running).toBeLessThanOrEqual(parallel);
      }
      expect(running).toBe(0);
      const failed = started.filter((step) => nodes[step]?.fails);
      expect(outcome).toEqual(
        Object.fromEntries(started.map((step) => [name(step), nodes[step]?.fails ? 'Failed' : 'Succeeded'])),
      );
      expect(status).toBe(failed.length > 0 ? 'Failed' : 'Succeeded');
      if (failed.length === 0) expect(started).toHaveLength(nodes.length);
      expect(new Set(started).size).toBe(started.length);
      const states = world.events
        .filter(({ resources, detailType }) => resources.includes(arn) && detailType.includes('Execution Step'))
        .map(({ detail }) => (detail as { currentStepStatus: string }).currentStepStatus);
      const failure = states.indexOf('Failed');
      if (failure >= 0) expect(states.lastIndexOf('Starting')).toBeLessThan(failure);
      world.events.length = 0;
    }),
    { numRuns: process.env['TEST_FULL'] === undefined ? 40 : 400 },
  );
});
