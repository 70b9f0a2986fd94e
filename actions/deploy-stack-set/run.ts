import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type DeployRequest, deploy } from '../../src/deploy/deploy.ts';
import { readStage } from '../../src/deploy/stage-file.ts';
import { FailureError, type Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { openAws } from '../../src/github/session.ts';
import { isCurrent, type StackSetState } from '../../src/stacksets/model.ts';
import type { Plan } from '../../src/stacksets/plan.ts';
import type { Inputs, Output } from './interface.generated.ts';
import { summarizeDeployment } from './summary.ts';

/** The product's own template lies beside dist/, where the runner started this action from. */
function templateOf(workspace: string, own: string | undefined): { templateFile: string; templateBody: string } {
  const file =
    own === undefined
      ? path.join(path.dirname(process.argv[1] ?? ''), '..', 'templates', 'endpoint.yml')
      : path.resolve(workspace, own);
  const templateFile = own ?? 'templates/endpoint.yml';
  try {
    return { templateFile, templateBody: readFileSync(file, 'utf8') };
  } catch (error) {
    throw new FailureError({
      code: 'InvalidTemplate',
      resource: templateFile,
      cause: `The template ${templateFile} cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
      hint: 'Check the input template, and that the job checks the repository out',
    });
  }
}

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const { context, clock, logger, signal } = host;
  const stageFile = inputs['stage-file'];
  const stage = await readStage(context.workspace, stageFile);
  const request: DeployRequest = {
    project: { name: inputs['project-name'], id: inputs['project-id'] },
    stage,
    stageFile,
    ...templateOf(context.workspace, inputs.template),
    packageArn: inputs['model-package-arn'],
    maxRemovals: inputs['max-removals'],
    rollback:
      inputs['rollback-from'] === undefined ? undefined : { from: inputs['rollback-from'], reason: inputs.reason },
    reviewer: inputs.reviewer,
    deadline: clock.now() + inputs['timeout-minutes'] * 60_000,
  };
  host.output('model-package-arn', request.packageArn);
  const operations: string[] = [];
  let planned: Plan | undefined;
  let final: StackSetState | undefined;
  let set = '';
  let status: Status = 'failed';
  try {
    status = await deploy(request, {
      aws: openAws('deploy-stack-set', inputs, host),
      context,
      clock,
      logger,
      signal,
      running: (operation) => host.operation(operation),
      report: {
        stackSet(name, endpoint) {
          set = name;
          host.output('stack-set-name', name);
          host.output('endpoint-name', endpoint);
        },
        plan(plan) {
          planned = plan;
          const { created, updated, removed, unchanged, differences } = plan;
          host.output('plan', JSON.stringify({ created, updated, removed, unchanged, differences }));
        },
        operation(id) {
          if (operations.includes(id)) return;
          operations.push(id);
          host.output('operation-ids', JSON.stringify(operations));
        },
        state(state) {
          final = state;
          // An output is at most 1 MB: of very many instances only those that want attention are listed.
          const many = state.instances.length > 2_000;
          const listed = many ? state.instances.filter((instance) => !isCurrent(instance)) : state.instances;
          host.output(
            'instances',
            JSON.stringify(
              listed.slice(0, 2_000).map((instance) => ({
                account: instance.account,
                region: instance.region,
                status: isCurrent(instance) ? 'CURRENT' : (instance.detailedStatus ?? instance.status),
                stack: instance.stackId ?? '',
              })),
            ),
          );
        },
      },
    });
    return status;
  } finally {
    summarizeDeployment({ request, set, status, plan: planned, state: final, operations }, host.summary);
  }
}
