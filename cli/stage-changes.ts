import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeStackSetCommand, paginateListStackInstances } from '@aws-sdk/client-cloudformation';
import { partitionOf } from '../src/aws/partition.ts';
import { buildDefinition } from '../src/deploy/definition.ts';
import { parseStage } from '../src/deploy/stage-file.ts';
import { FailureError } from '../src/failure.ts';
import type { AccountClients } from './accounts.ts';
import { git } from './project.ts';
import { type ProjectState, productDirectory } from './state.ts';

/**
 * What a deployment of this commit's stage file would change in its stage besides the model, a line each; undefined when the
 * project keeps the stage's file somewhere else or its clone does not know the commit.
 */
export async function stageChanges(
  { cloudformation }: AccountClients,
  project: ProjectState,
  stageName: string,
  sha: string,
  packageArn: string,
): Promise<string[] | undefined> {
  const file = `model-deploy/stages/${stageName}.yml`;
  let text: string;
  try {
    text = await git(project.directory, 'show', `${sha}:${file}`);
  } catch {
    return undefined;
  }
  try {
    const stage = parseStage(file, text);
    const templateFile = join(productDirectory, 'templates', 'endpoint.yml');
    const { name, parameters } = buildDefinition({
      project,
      stage,
      stageFile: file,
      packageArn,
      templateFile,
      templateBody: await readFile(templateFile, 'utf8'),
      adminAccount: project.adminAccount,
      partition: partitionOf(project.region),
    });
    const { StackSet } = await cloudformation.send(new DescribeStackSetCommand({ StackSetName: name }));
    const before = new Map(
      StackSet?.Parameters?.map(({ ParameterKey, ParameterValue }) => [ParameterKey!, ParameterValue ?? '']),
    );
    const changed = Object.entries(parameters)
      .filter(([key, value]) => key !== 'ModelPackageName' && before.get(key) !== value)
      .map(([key, value]) => `${key} ${before.get(key) ?? '(none)'} -> ${value}`);
    const deployed = new Set<string>();
    for await (const page of paginateListStackInstances({ client: cloudformation }, { StackSetName: name }))
      for (const { Account } of page.Summaries ?? []) deployed.add(Account!);
    const added = stage.accounts.filter((account) => !deployed.has(account));
    const removed = [...deployed].filter((account) => !stage.accounts.includes(account));
    return [
      ...changed,
      ...(added.length > 0 ? [`new in ${added.join(', ')}`] : []),
      ...(removed.length > 0 ? [`removed from ${removed.join(', ')}`] : []),
    ];
  } catch (error) {
    if ((error as Error).name === 'StackSetNotFoundException') return ['the stage is deployed for the first time'];
    // What the job itself will say: the reviewer should know before the answer.
    if (error instanceof FailureError) return error.failures.map(({ cause }) => `cannot be deployed: ${cause}`);
    throw error;
  }
}
