import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from '../command.ts';
import { UserError } from '../errors.ts';
import { planProject, productVersion, projectIdOf, writeProject } from '../project.ts';
import { productDirectory } from '../state.ts';

export const command: Command = {
  help: `Writes a project into your folder: pipeline code, stage files, workflows with your names filled in.

  npx sagemaker-mlops init ~/abalone --name abalone --repository-id 123456789 --region eu-west-1 \\
    --admin-account 111122223333 --staging 444455556666 --production 777788889999,888899990000

Usage: npx sagemaker-mlops init FOLDER --name N --repository-id ID --region R --admin-account A
         --staging A[,A] --production A[,A] [--product OWNER/REPO]
  --name            project name: lower case, up to 15 letters, digits and hyphens
  --repository-id   gh api repos/OWNER/REPO --jq .id
  --region          region of registry, pipelines and endpoints
  --admin-account   the account that holds registry and pipelines
  --staging, --production   target accounts of the stages, separated by commas
  --product         OWNER/REPO that the workflows call (default sagemaker-mlops/sagemaker-mlops)

Nothing is overwritten: a file that is there already ends it before the first one is written.
Next: docs/aws-accounts.md. Exit code: 0, 1 a file is in the way, 2 wrong usage.`,
  options: {
    name: { type: 'string' },
    'repository-id': { type: 'string' },
    region: { type: 'string' },
    'admin-account': { type: 'string' },
    staging: { type: 'string' },
    production: { type: 'string' },
    product: { type: 'string' },
  },
  positionals: ['FOLDER'],
  async run({ values, positionals }, terminal) {
    const rules: [option: string, pattern: RegExp, wanted: string][] = [
      [
        'name',
        /^(?=.{1,15}$)[a-z](-*[a-z0-9])*$/,
        'up to 15 lower-case letters, digits and hyphens, starting with a letter',
      ],
      ['repository-id', /^\d+$/, 'the number that "gh api repos/OWNER/REPO --jq .id" prints'],
      ['region', /^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as eu-west-1'],
      ['admin-account', /^\d{12}$/, 'an account number of twelve digits'],
      ['staging', /^\d{12}(,\d{12})*$/, 'account numbers of twelve digits, separated by commas'],
      ['production', /^\d{12}(,\d{12})*$/, 'account numbers of twelve digits, separated by commas'],
    ];
    const problems = rules
      .filter(([option, pattern]) => !pattern.test(String(values[option] ?? '')))
      .map(
        ([option, , wanted]) =>
          `--${option} ${values[option] === undefined ? 'is missing' : `is "${values[option]}"`}: give ${wanted}`,
      );
    if (positionals[0] === undefined)
      problems.unshift('FOLDER is missing: give the folder of your repository, e.g. "."');
    if (problems.length > 0) throw new UserError(`these need mending:\n  ${problems.join('\n  ')}`, 2);
    const text = (option: string) => String(values[option]);
    const target = resolve(positionals[0]!);
    const version = await productVersion(productDirectory);
    const projectId = projectIdOf(Number(text('repository-id')));

    const taken: string[] = [];
    for (const path of await planProject(productDirectory)) {
      if (
        await stat(join(target, path)).then(
          () => true,
          () => false,
        )
      )
        taken.push(path);
    }
    if (taken.length > 0) {
      throw new UserError(
        `${target} has ${taken.slice(0, 3).join(', ')}${taken.length > 3 ? ` and ${taken.length - 3} more` : ''} already: nothing was written. Move them away, or choose an empty folder and merge by hand.`,
      );
    }
    await writeProject(productDirectory, target, {
      projectName: text('name'),
      projectId,
      region: text('region'),
      adminAccount: text('admin-account'),
      stagingAccounts: text('staging').split(','),
      productionAccounts: text('production').split(','),
      productRepository: (values['product'] as string | undefined) ?? 'sagemaker-mlops/sagemaker-mlops',
      productCommit: version.commit,
      productVersion: version.version,
    });
    const files = (await readdir(target, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    terminal.line(
      `Project ${text('name')}, id ${projectId}: ${files.length} files in ${relative(process.cwd(), target) || '.'}`,
    );
    terminal.line(`Its workflows call sagemaker-mlops at commit ${version.commit.slice(0, 12)} (v${version.version}).`);
    terminal.line('Next: docs/aws-accounts.md, step 3 (the stacks), then commit and push to main.');
    return 0;
  },
};
