import { accountClients } from '../accounts.ts';
import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { listEndpoints } from '../endpoints.ts';
import { countPackages, describePackages } from '../packages.ts';
import { beginAnew, removedParts } from '../removed.ts';
import { runningPlatform } from '../state.ts';
import { cut, table, wrap } from '../terminal.ts';

interface WorkflowRun {
  id: number;
  name: string;
  event: string;
  status: string;
  conclusion: string | null;
  head_sha: string;
}

/** So that all of it fits a screen; what is cut off is whole in --json. */
const mostAccounts = 10;
const newest = 5;

export const command: Command = {
  help: `Shows what is on the running platform: accounts with their endpoints, the newest model packages, the
newest workflow runs.

  approval, stage   what the registry says of a package: it keeps them when another takes its place
  serves in         accounts whose endpoints serve it now, asked of the endpoints themselves

Usage: npx sagemaker-mlops status [--json]
  --json   everything, uncut, as one JSON object for scripts

Exit code: 0, 1 no platform runs, 2 wrong usage.`,
  options: { json: { type: 'boolean' } },
  positionals: [],
  async run({ values }, terminal) {
    const state = runningPlatform();
    const control = new Control(state);
    const region = state.project?.region ?? state.region ?? 'eu-west-1';
    const accounts = await Promise.all(
      (await control.accounts()).map(async (account) => ({
        ...account,
        endpoints: await listEndpoints(accountClients(control, account.id, region).sagemaker),
      })),
    );
    const admin = accounts.find(({ admin }) => admin === true) ?? accounts[0]!;
    const project = state.project;
    const served = accounts.flatMap(({ endpoints }) => endpoints.flatMap(({ packages }) => packages));
    const packages =
      project === undefined
        ? []
        : (
            await describePackages(
              accountClients(control, admin.id, region),
              `${project.name}-${project.id}`,
              newest,
              served,
            )
          ).map((description) => ({
            version: description.ModelPackageVersion ?? 0,
            arn: description.ModelPackageArn ?? '',
            approval: description.ModelApprovalStatus ?? '',
            stage: [description.ModelLifeCycle?.Stage, description.ModelLifeCycle?.StageStatus]
              .filter(Boolean)
              .join('/'),
            serves: accounts
              .filter(({ endpoints }) =>
                endpoints.some(({ packages }) => packages.includes(description.ModelPackageArn ?? '')),
              )
              .map(({ name }) => name),
            // Why it was refused or taken back says more than that it had once passed.
            reason:
              (/^(Rejected|RolledBack)$/.test(description.ModelLifeCycle?.StageStatus ?? '')
                ? description.ModelLifeCycle?.StageDescription
                : undefined) ??
              description.ApprovalDescription ??
              '',
          }));
    const runs =
      project === undefined
        ? []
        : (
            await control.json<{ workflow_runs: WorkflowRun[] }>(
              'GET',
              `/_github/api/repos/${project.repository}/actions/runs?per_page=5`,
            )
          ).workflow_runs.map(({ id, name, event, status, conclusion, head_sha }) => ({
            id,
            name,
            event,
            status,
            conclusion,
            head_sha,
          }));

    if (values['json'] === true) {
      terminal.line(JSON.stringify({ url: control.url, region, accounts, project, packages, runs }, undefined, 2));
      return 0;
    }
    terminal.line(`${terminal.bold('Platform')}  ${control.url}, ${region}`);
    for (const line of table(
      accounts.map(({ id, name, endpoints }) => [
        name,
        id,
        endpoints.map(({ name: endpoint, status }) => `${endpoint} ${status}`).join(', '),
      ]),
    ).slice(0, mostAccounts)) {
      terminal.line(cut(line));
    }
    if (accounts.length > mostAccounts) terminal.line(`  and ${accounts.length - mostAccounts} more: status --json`);
    if (project === undefined) {
      terminal.line('No project: "npm start" makes one.');
      return 0;
    }
    const removed = await removedParts(control, project);
    terminal.line(`${terminal.bold('Project')}   ${project.repository}, ${project.directory}`);
    if (removed.project || removed.roles) {
      const what = removed.project ? 'removed' : 'without its roles, removed';
      for (const line of wrap('  ', `${what} from its accounts by model-cleanup: ${beginAnew}.`))
        terminal.line(terminal.yellow(line));
    }
    terminal.line(`${terminal.bold('Packages')}  group ${project.name}-${project.id}`);
    if (packages.length > 0) {
      for (const line of table([
        ['#', 'approval', 'stage', 'serves in', ''],
        ...packages.map(({ version, approval, stage, serves, reason }) => [
          `${version}`,
          approval,
          stage,
          serves.length === 0 ? '-' : serves.join(', '),
          // The column beside says what the first words do.
          reason.replace(/^Gate (passed|missed): /, ''),
        ]),
      ])) {
        terminal.line(cut(line));
      }
      const older =
        (await countPackages(accountClients(control, admin.id, region), `${project.name}-${project.id}`)) -
        packages.length;
      if (older > 0)
        terminal.line(
          `  and ${older} older: aws sagemaker list-model-packages --model-package-group-name ${project.name}-${project.id}`,
        );
    } else terminal.line('  none: nothing was registered yet, or the project was cleaned up');
    terminal.line(terminal.bold('Runs'));
    for (const line of table(
      runs.map((run) => [`${run.id}`, run.name, run.event, run.conclusion ?? run.status, run.head_sha.slice(0, 7)]),
    )) {
      terminal.line(line);
    }
    const waiting = runs.find(({ status }) => status === 'waiting');
    terminal.line(
      waiting === undefined
        ? 'Next: "npx sagemaker-mlops logs" for the newest run, "... env ACCOUNT" for your own aws or boto3.'
        : `Next: run ${waiting.id} waits for a reviewer: answer in the terminal of npm start.`,
    );
    return 0;
  },
};
