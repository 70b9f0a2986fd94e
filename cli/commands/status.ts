import { DescribeEndpointCommand, paginateListEndpoints } from '@aws-sdk/client-sagemaker';
import { accountClients } from '../accounts.ts';
import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { describePackages } from '../packages.ts';
import { runningPlatform } from '../state.ts';
import { table } from '../terminal.ts';

interface WorkflowRun {
  id: number;
  name: string;
  event: string;
  status: string;
  conclusion: string | null;
  head_sha: string;
}

export const command: Command = {
  help: `Shows what is on the running platform: accounts with their endpoints, model packages, workflow runs.

Usage: npx sagemaker-mlops status [--json]
  --json   everything as one JSON object, for scripts

Exit code: 0, or 1 when no platform runs.`,
  options: { json: { type: 'boolean' } },
  positionals: [],
  async run({ values }, terminal) {
    const state = runningPlatform();
    const control = new Control(state);
    const region = state.project?.region ?? state.region ?? 'eu-west-1';
    const accounts = await Promise.all(
      (await control.accounts()).map(async (account) => ({
        ...account,
        endpoints: await endpointsOf(control, account.id, region),
      })),
    );
    const admin = accounts.find(({ admin }) => admin === true) ?? accounts[0]!;
    const project = state.project;
    const packages =
      project === undefined
        ? []
        : (await describePackages(accountClients(control, admin.id, region), `${project.name}-${project.id}`)).map(
            (description) => ({
              version: description.ModelPackageVersion ?? 0,
              arn: description.ModelPackageArn ?? '',
              approval: description.ModelApprovalStatus ?? '',
              stage: [description.ModelLifeCycle?.Stage, description.ModelLifeCycle?.StageStatus]
                .filter(Boolean)
                .join('/'),
              reason: description.ApprovalDescription ?? '',
            }),
          );
    const runs =
      project === undefined
        ? []
        : (
            await control.json<{ workflow_runs: WorkflowRun[] }>(
              'GET',
              `/_github/api/repos/${project.repository}/actions/runs?per_page=5`,
            )
          ).workflow_runs;

    if (values['json'] === true) {
      terminal.line(JSON.stringify({ url: control.url, region, accounts, project, packages, runs }, undefined, 2));
      return 0;
    }
    terminal.line(`${terminal.bold('Platform')}  ${control.url}, ${region}`);
    for (const line of table(
      accounts.map(({ id, name, endpoints }) => [
        name,
        id,
        endpoints.length === 0 ? '' : endpoints.map(({ name: endpoint, status }) => `${endpoint} ${status}`).join(', '),
      ]),
    )) {
      terminal.line(line);
    }
    if (project === undefined) {
      terminal.line('No project: "npm start" makes one.');
      return 0;
    }
    terminal.line(`${terminal.bold('Project')}   ${project.repository}, ${project.directory}`);
    terminal.line(`${terminal.bold('Packages')}  group ${project.name}-${project.id}`);
    for (const line of table(
      packages.map((entry) => [`${entry.version}`, entry.approval, entry.stage, entry.reason]),
    )) {
      // The whole reason is in --json and in the job's summary.
      terminal.line(line.length <= 100 ? line : `${line.slice(0, 99)}…`);
    }
    if (packages.length === 0) terminal.line('  none: nothing was registered yet, or the project was cleaned up');
    terminal.line(terminal.bold('Runs'));
    for (const line of table(
      runs.map((run) => [`${run.id}`, run.name, run.event, run.conclusion ?? run.status, run.head_sha.slice(0, 7)]),
    )) {
      terminal.line(line);
    }
    terminal.line('Next: "npx sagemaker-mlops logs" for the newest run, "... env ACCOUNT" for your own aws or boto3.');
    return 0;
  },
};

async function endpointsOf(control: Control, account: string, region: string) {
  const { sagemaker } = accountClients(control, account, region);
  const endpoints: { name: string; status: string; configuration: string }[] = [];
  for await (const page of paginateListEndpoints({ client: sagemaker }, {})) {
    for (const { EndpointName } of page.Endpoints ?? []) {
      const description = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: EndpointName! }));
      endpoints.push({
        name: EndpointName!,
        status: description.EndpointStatus ?? '',
        configuration: description.EndpointConfigName ?? '',
      });
    }
  }
  return endpoints;
}
