import { GetObjectCommand } from '@aws-sdk/client-s3';
import { type DescribeModelPackageCommandOutput, ListPipelineExecutionStepsCommand } from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import type { RunRecord } from '../local/github/types.ts';
import { type AccountClients, accountClients } from './accounts.ts';
import { Control } from './control.ts';
import { listEndpoints } from './endpoints.ts';
import { runDuration } from './follow.ts';
import { describePackages, packageMetrics, packageOf } from './packages.ts';
import type { LocalWorld } from './platform.ts';
import type { ProjectState } from './state.ts';
import { seconds, type Terminal, table, wrap } from './terminal.ts';

/** The table at the end of `start`: everything in it is read back from the platform, nothing from what the run printed. */
export async function report(
  terminal: Terminal,
  local: LocalWorld,
  project: ProjectState,
  run: RunRecord,
  staysUp: boolean,
): Promise<void> {
  const control = new Control(local.platform);
  const clients = accountClients(control, project.adminAccount, project.region);
  // The package of this very run: another run may have registered a newer one meanwhile.
  const own = packageOf(run);
  const packages = await describePackages(clients, `${project.name}-${project.id}`, 1, own === undefined ? [] : [own]);
  const newest = packages.find(({ ModelPackageArn }) => ModelPackageArn === own);
  const rows: [string, string][] = [];
  if (newest === undefined) rows.push(['package', 'none was registered']);
  else {
    const metrics = Object.entries(await packageMetrics(clients, newest));
    const steps = await stepTimes(clients, newest);
    rows.push(['package', newest.ModelPackageArn ?? '']);
    rows.push(['approval', `${newest.ModelApprovalStatus}: ${newest.ApprovalDescription ?? ''}`]);
    rows.push(['metrics', metrics.map(([name, value]) => `${name.split('.').at(-1)} ${value.toFixed(3)}`).join(' · ')]);
    rows.push(['commit', newest.CustomerMetadataProperties?.['commit'] ?? run.sha]);
    if (steps.length > 0) rows.push(['steps', steps.join(' · ')]);
  }
  rows.push([
    'run',
    `${run.conclusion} in ${seconds(runDuration(run))}; logs and summaries: ${local.github.runs.directory(run.id)}`,
  ]);
  terminal.line();
  for (const [name, text] of rows) for (const line of wrap(`  ${name.padEnd(10)}`, text)) terminal.line(line);

  const row = newest === undefined ? undefined : await heldOutRow(clients, newest);
  const endpoints = await endpointRows(control, local, project, row);
  if (endpoints.length === 0) return;
  for (const line of table([
    ['account', '', 'region', 'endpoint', 'status', 'latency'],
    ...endpoints.map((one) => [one.account, one.name, project.region, one.endpoint, one.status, one.latency]),
  ])) {
    terminal.line(line);
  }
  const shown = endpoints.at(-1)!;
  if (row === undefined || !staysUp) return;
  terminal.line(`  Ask ${shown.name} yourself, in another terminal in this folder:`);
  terminal.line(`    eval "$(npx sagemaker-mlops env ${shown.name})"`);
  // A file as body is the one form that AWS CLI 1 and 2 read alike. The answer goes past what the CLI itself prints, which would
  // stand in the same line; it ends without one.
  terminal.line(`    echo ${row} |`);
  terminal.line(`      aws sagemaker-runtime invoke-endpoint --endpoint-name ${shown.endpoint} \\`);
  terminal.line('      --content-type text/csv --body fileb:///dev/stdin /dev/stderr > /dev/null; echo');
}

async function stepTimes(clients: AccountClients, description: DescribeModelPackageCommandOutput): Promise<string[]> {
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

/** The first row that the evaluation step held out, as an endpoint takes it; undefined when the package has none. */
async function heldOutRow(
  clients: AccountClients,
  description: DescribeModelPackageCommandOutput,
): Promise<string | undefined> {
  const match = /^s3:\/\/([^/]+)\/(.+)\/[^/]+$/.exec(description.ModelMetrics?.ModelQuality?.Statistics?.S3Uri ?? '');
  if (match === null) return undefined;
  try {
    const { Body } = await clients.s3.send(
      new GetObjectCommand({ Bucket: match[1]!, Key: `${match[2]!}/held-out.csv`, Range: 'bytes=0-999' }),
    );
    return (await Body!.transformToString()).split('\n')[0];
  } catch {
    // A project's own pipeline may keep no such rows: then there is nothing to show, and nothing is wrong.
    return undefined;
  }
}

async function endpointRows(control: Control, local: LocalWorld, project: ProjectState, row: string | undefined) {
  const rows: { account: string; name: string; endpoint: string; status: string; latency: string }[] = [];
  for (const { id, name } of local.platform.context.world.accounts) {
    const { sagemaker, runtime } = accountClients(control, id, project.region);
    for (const { name: endpoint, status } of await listEndpoints(sagemaker)) {
      let latency = '-';
      if (row !== undefined && status === 'InService') {
        const started = performance.now();
        await runtime.send(new InvokeEndpointCommand({ EndpointName: endpoint, ContentType: 'text/csv', Body: row }));
        latency = `${(performance.now() - started).toFixed(0)} ms`;
      }
      rows.push({ account: id, name, endpoint, status, latency });
    }
  }
  return rows;
}
