import {
  DescribeEndpointCommand,
  type DescribeModelPackageCommandOutput,
  ListPipelineExecutionStepsCommand,
  paginateListEndpoints,
} from '@aws-sdk/client-sagemaker';
import type { RunRecord } from '../local/github/types.ts';
import { accountClients } from './accounts.ts';
import { Control } from './control.ts';
import { runDuration } from './follow.ts';
import { describePackages, packageMetrics } from './packages.ts';
import type { LocalWorld } from './platform.ts';
import type { ProjectState } from './state.ts';
import { seconds, type Terminal, table } from './terminal.ts';

/** The table at the end of `start`: everything in it is read back from the platform, nothing from what the run printed. */
export async function report(
  terminal: Terminal,
  local: LocalWorld,
  project: ProjectState,
  run: RunRecord,
): Promise<void> {
  const control = new Control(local.platform);
  const clients = accountClients(control, project.adminAccount, project.region);
  const [newest] = await describePackages(clients, `${project.name}-${project.id}`, 1);
  const rows: string[][] = [];
  if (newest !== undefined) {
    const metrics = await packageMetrics(clients, newest);
    rows.push(['package', newest.ModelPackageArn ?? '']);
    rows.push(['approval', `${newest.ModelApprovalStatus}: ${newest.ApprovalDescription ?? ''}`]);
    rows.push([
      'metrics',
      Object.entries(metrics)
        .map(([name, value]) => `${name} ${value.toFixed(3)}`)
        .join(', '),
    ]);
    rows.push(['commit', newest.CustomerMetadataProperties?.['commit'] ?? run.sha]);
    const steps = await stepTimes(clients, newest);
    if (steps.length > 0) rows.push(['steps', steps.join(' · ')]);
  } else {
    rows.push(['package', 'none was registered']);
  }
  for (const { id, name } of local.platform.context.world.accounts) {
    const { sagemaker } = accountClients(control, id, project.region);
    for await (const page of paginateListEndpoints({ client: sagemaker }, {})) {
      for (const { EndpointName } of page.Endpoints ?? []) {
        const endpoint = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: EndpointName! }));
        rows.push(['endpoint', `${name} ${id} ${project.region} ${EndpointName} ${endpoint.EndpointStatus}`]);
      }
    }
  }
  rows.push([
    'run',
    `${run.conclusion} in ${seconds(runDuration(run))}; logs and summaries in ${local.github.runs.directory(run.id)}`,
  ]);
  terminal.line();
  for (const line of table(rows)) terminal.line(line);
}

async function stepTimes(
  clients: ReturnType<typeof accountClients>,
  description: DescribeModelPackageCommandOutput,
): Promise<string[]> {
  const execution = description.MetadataProperties?.GeneratedBy;
  if (execution === undefined) return [];
  const { PipelineExecutionSteps } = await clients.sagemaker.send(
    new ListPipelineExecutionStepsCommand({ PipelineExecutionArn: execution, SortOrder: 'Ascending' }),
  );
  return (PipelineExecutionSteps ?? []).map(
    ({ StepName, StartTime, EndTime }) =>
      `${StepName} ${StartTime === undefined || EndTime === undefined ? '-' : seconds(EndTime.getTime() - StartTime.getTime())}`,
  );
}
