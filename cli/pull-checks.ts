/** What counts of a run that a pull request started, as GitHub's API lists it. */
export interface Check {
  id: number;
  name: string;
  /** File of the workflow. */
  path: string;
  status: string;
  conclusion: string | null;
}

/**
 * Why a commit is not ready to be merged and what to do, in one sentence; undefined when it is ready. Of each workflow that pull
 * requests start the newest run of this commit must have succeeded, as for checks that GitHub's rules require. Runs newest first.
 */
export function obstacleOf(runs: readonly Check[], commit: string): string | undefined {
  const again = '"npx sagemaker-mlops pull-request"';
  const newest = runs.filter(({ path }, index) => runs.findIndex((run) => run.path === path) === index);
  if (newest.length === 0)
    return `No check has run on the commit ${commit.slice(0, 12)}: ${again} pushes it, and .github/workflows/pull-request.yml has to be there to check it.`;
  const failed = newest.find(
    ({ status, conclusion }) => status === 'completed' && conclusion !== 'success' && conclusion !== 'skipped',
  );
  if (failed !== undefined)
    return `The check of this commit ended with ${failed.conclusion} (${failed.name}, run ${failed.id}): change what it names, then run ${again} again.`;
  const open = newest.find(({ status }) => status !== 'completed');
  if (open !== undefined)
    return `The check of this commit is not over (${open.name}, run ${open.id}): merge when it has succeeded.`;
  return undefined;
}
