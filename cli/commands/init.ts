import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from '../command.ts';
import { UserError } from '../errors.ts';
import { planProject, productOrigin, productVersion, projectIdOf, writeProject } from '../project.ts';
import { setupFiles } from '../setup-files.ts';
import { productDirectory } from '../state.ts';

/** GitHub's rules: no name of dots alone. */
const repositoryPattern = /^[A-Za-z0-9-]{1,39}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;
/** Exact as a number of JavaScript. */
const idPattern = /^[1-9]\d{0,14}$/;

export const command: Command = {
  help: `Writes a project into your folder: pipeline code, stage files, workflows with your names filled in,
and in setup/ the scripts and templates that set its AWS accounts and GitHub environments up.

  npx sagemaker-mlops init ../abalone --name abalone --repository ORG/abalone \\
    --repository-id 123456789 --owner-id 1 --region eu-west-1 \\
    --admin-account 111122223333 --staging 444455556666 --production 777788889999,888899990000

Usage: npx sagemaker-mlops init FOLDER --name N --repository OWNER/REPO --repository-id ID
         --owner-id ID --region R --admin-account A --staging A[,A] --production A[,A]
         [--product OWNER/REPO]
  --name            project name: lower case, up to 15 letters, digits and hyphens
  --repository      your repository on GitHub
  --repository-id, --owner-id
                    gh api repos/OWNER/REPO --jq '"--repository-id \\(.id) --owner-id \\(.owner.id)"'
  --region          region of registry, pipelines and endpoints
  --admin-account   the account that holds registry and pipelines
  --staging, --production   target accounts of the stages, separated by commas
  --product         OWNER/REPO that the workflows call (default: where this checkout came from)

Nothing is overwritten: a file that is there already ends it before the first one is written.
Next: docs/aws-accounts.md. Exit code: 0, 1 a file is in the way, 2 wrong usage.`,
  options: {
    name: { type: 'string' },
    repository: { type: 'string' },
    'repository-id': { type: 'string' },
    'owner-id': { type: 'string' },
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
      ['repository', repositoryPattern, 'OWNER/REPO as on GitHub, e.g. acme/abalone'],
      ['repository-id', idPattern, 'the number that "gh api repos/OWNER/REPO --jq .id" prints'],
      ['owner-id', idPattern, 'the number that "gh api repos/OWNER/REPO --jq .owner.id" prints'],
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
    if (values['product'] !== undefined && !repositoryPattern.test(String(values['product'])))
      problems.push(`--product is "${values['product']}": give OWNER/REPO of the product on GitHub, or leave it out`);
    const text = (option: string) => String(values[option]);
    const accounts = [
      { option: 'admin-account', id: text('admin-account') },
      ...['staging', 'production'].flatMap((option) =>
        text(option)
          .split(',')
          .map((id) => ({ option, id })),
      ),
    ];
    for (const [index, { option, id }] of accounts.entries()) {
      const first = accounts.findIndex((other) => other.id === id);
      // The roles in a target carry no stage in their names, so two stages in one account would collide.
      if (first < index && /^\d{12}$/.test(id))
        problems.push(
          `--${option} names ${id}, as --${accounts[first]!.option} does: give every stage accounts of its own`,
        );
    }
    if (problems.length > 0) throw new UserError(`these need mending:\n  ${problems.join('\n  ')}`, 2);
    const target = resolve(positionals[0]!);
    const version = await productVersion(productDirectory);
    const project = { name: text('name'), id: projectIdOf(Number(text('repository-id'))) };
    const origin = await productOrigin(productDirectory, version.commit);
    const productRepository =
      (values['product'] as string | undefined) ?? origin?.repository ?? 'sagemaker-mlops/sagemaker-mlops';
    const [owner = '', name = ''] = text('repository').split('/');
    const setup = await setupFiles(
      productDirectory,
      {
        region: text('region'),
        project,
        repository: {
          owner,
          ownerId: Number(text('owner-id')),
          name,
          id: Number(text('repository-id')),
          defaultBranch: 'main',
        },
        productRepository,
        accounts: accounts.map(({ option, id }, index) =>
          index === 0 ? { id, name: 'admin', admin: true } : { id, name: `${option}-${index}` },
        ),
      },
      `sagemaker-mlops ${version.version}, commit ${version.commit}`,
    );

    const taken: string[] = [];
    for (const path of [...(await planProject(productDirectory)), ...setup.keys()])
      if (existsSync(join(target, path))) taken.push(path);
    if (taken.length > 0) {
      throw new UserError(
        `${target} has ${taken.slice(0, 3).join(', ')}${taken.length > 3 ? ` and ${taken.length - 3} more` : ''} already: nothing was written. Move them away, or choose an empty folder and merge by hand.`,
      );
    }
    await writeProject(productDirectory, target, {
      projectName: project.name,
      projectId: project.id,
      region: text('region'),
      adminAccount: text('admin-account'),
      stagingAccounts: text('staging').split(','),
      productionAccounts: text('production').split(','),
      productRepository,
      productCommit: version.commit,
      productVersion: version.version,
    });
    for (const [path, content] of setup) {
      await mkdir(dirname(join(target, path)), { recursive: true });
      await writeFile(join(target, path), content);
    }
    const files = (await planProject(productDirectory)).length + setup.size;
    terminal.line(
      `Project ${project.name}, id ${project.id}: ${files} files in ${relative(process.cwd(), target) || '.'}`,
    );
    terminal.line(
      `Its workflows call ${productRepository} at commit ${version.commit.slice(0, 12)} (v${version.version}).`,
    );
    if (origin?.repository === productRepository && !origin.hasCommit)
      terminal.line(
        terminal.yellow(`That commit is not on ${productRepository} yet: push it, or GitHub finds no workflow there.`),
      );
    terminal.line('Next, in that folder, with administrator credentials of each account, the admin account first:');
    terminal.line('  bash setup/aws.sh          # the stacks of that account');
    terminal.line('  bash setup/github.sh USER  # once: the GitHub environments, with the reviewers of two of them');
    terminal.line('then commit and push to main. Step by step: docs/aws-accounts.md');
    return 0;
  },
};
