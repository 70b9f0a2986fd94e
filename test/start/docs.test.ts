/**
 * The pages are held to what exists: every command line is run by a named test or marked as needing AWS or GitHub, options and inputs
 * are real, YAML is judged by the project's own validators, tables of keys and codes are those of schemas and code.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { Command } from '../../cli/command.ts';
import { setupFiles } from '../../cli/setup-files.ts';
import { stepTypes } from '../../local/aws/services/sagemaker/pipelines/step-types.ts';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { knownRepositories } from '../../local/runner/images.ts';
import { parseStage } from '../../src/deploy/stage-file.ts';
import { failureCodes } from '../../src/failure.ts';
import { readChecked } from '../../src/github/schema.ts';
import { validate as validateBuild } from '../../src/pipelines/build-file.generated.ts';
import { validate as validateGate } from '../../src/registry/gate-file.generated.ts';
import { type CodeBlock, codeBlocks } from './pages.ts';
import { root } from './support.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...globSync('docs/**/*.md', { cwd: root }),
  ...globSync('actions/*/README.md', { cwd: root }),
  'workflows/README.md',
  'templates/README.md',
  ...globSync('seed-code/*/README.md', { cwd: root }),
].filter((page) => existsSync(join(root, page)));

interface Block extends CodeBlock {
  page: string;
}
const all: Block[] = pages.flatMap((page) => codeBlocks(read(page)).map((block) => ({ ...block, page })));

/** One command a line; a backslash joins lines. Recorded output is no command, nor are the pieces of setup/aws.sh in docs/stages.md. */
const commandLines = all
  .filter(
    ({ language, text }) => ['console', 'bash', 'sh', 'indented'].includes(language) && !text.startsWith('$ npm start'),
  )
  .filter(({ text }) => !isPieceOfSetup(text))
  .flatMap(({ page, text, needs }) =>
    text
      .replace(/\\\n\s*/g, ' ')
      .split('\n')
      .map((line) => ({ page, needs, line: line.replace(/\s+#\s.*$/, '').trim() }))
      .filter(({ line }) => line !== ''),
  );

function isPieceOfSetup(text: string): boolean {
  return /^\s*deploy [\w-]+ [\w-]+ \\$/m.test(text);
}

const commands: Record<string, Command> = {};
for (const file of globSync('cli/commands/*.ts', { cwd: root })) {
  commands[file.split('/').at(-1)!.replace('.ts', '')] = (await import(join(root, file))).command;
}

/** The test that runs each command of ours as the pages show it, with words of that test that show it. */
const runOurs: Record<string, [test: string, words: string]> = {
  start: ['start.test.ts', "'start'"],
  status: ['commands.test.ts', "shown('status')"],
  push: ['commands.test.ts', "shown('push')"],
  logs: ['commands.test.ts', "shown('logs --summary')"],
  dispatch: ['guides.full.test.ts', 'model-rollback -f version=1'],
  env: ['guides.full.test.ts', "block(model, 'list-model-packages')"],
  reset: ['commands.test.ts', "shown('reset')"],
  init: ['setup.test.ts', "'init'"],
  try: ['pull-request.test.ts', "'try'"],
  'pull-request': ['pull-request.test.ts', "'pull-request'"],
  local: ['commands.test.ts', "'local'"],
};

/** Lines that are neither ours nor npm's: which test runs them. It reads the page, or runs the very script. */
const runOthers: [page: string, line: RegExp, test: string, words: string][] = [
  ['docs/aws-accounts.md', /^AWS_PROFILE=\w+ bash setup\/aws\.sh$/, 'test/start/setup.test.ts', 'runIn(account)'],
  ['docs/aws-accounts.md', /^bash setup\/github\.sh /, 'test/start/setup.test.ts', "bash('github.sh'"],
  ['docs/local-world.md', /^(state=|token=|control)/, 'test/organizations/clients.test.ts', 'docs/local-world.md'],
  ['docs/local-world.md', /^aws organizations list-accounts$/, 'test/organizations/clients.test.ts', 'list-accounts'],
  [
    'docs/your-model.md',
    /^(aws (sagemaker|s3) |(group|arn|execution|commit)=|git )/,
    'test/start/guides.full.test.ts',
    'docs/your-model.md',
  ],
  ['docs/your-model.md', /^(python3 -m venv|\.venv\/bin\/python) /, 'test/start/guides.full.test.ts', 'pipeline.json'],
  ['seed-code/model-build/README.md', /^(python3 -m venv|\.venv\/bin\/python) /, 'test/start/docs.test.ts', 'the same'],
];

describe('commands', () => {
  const own = commandLines.flatMap(({ page, line }) =>
    [...line.matchAll(/npx sagemaker-mlops (\S+)((?:"[^"]*"|[^|;&)"])*)/g)].map((match) => ({
      page,
      name: match[1]!,
      rest: match[2] ?? '',
    })),
  );

  test('there are some', () => expect(own.length).toBeGreaterThanOrEqual(5));

  test.each(own)('$page: npx sagemaker-mlops $name$rest', ({ name, rest }) => {
    expect(Object.keys(commands)).toContain(name);
    const options = commands[name]!.options;
    for (const [, long] of rest.matchAll(/ --([\w-]+)/g)) expect(Object.keys(options)).toContain(long);
    for (const [, short] of rest.matchAll(/ -(\w)\b/g)) {
      expect(Object.values(options).map((option) => option.short)).toContain(short);
    }
  });

  const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as Record<string, string>;
  const npm = commandLines.flatMap(({ page, line }) =>
    [...line.matchAll(/npm (?:run ([\w:]+)|(start|test))/g)].map((match) => ({ page, script: match[1] ?? match[2]! })),
  );
  test.each(npm)('$page: npm $script is a script', ({ script }) => expect(Object.keys(scripts)).toContain(script));

  const isOwn = (line: string) => /npx sagemaker-mlops /.test(line);
  const isNpm = (line: string) => /^npm (ci|run|start|test)\b/.test(line);

  test.each(commandLines)('$page: $line is of one kind', ({ page, line, needs }) => {
    const tests = runOthers.filter(([where, pattern]) => where === page && pattern.test(line));
    const kinds = [isOwn(line), isNpm(line), tests.length === 1, needs !== undefined];
    expect(kinds.filter(Boolean)).toHaveLength(1);
    for (const [, , file, words] of tests) expect(read(file)).toContain(words);
  });

  test('what no test runs because it needs AWS or GitHub is at most ten lines, each with its reason', () => {
    const foreign = commandLines.filter(({ needs }) => needs !== undefined);
    expect(foreign.length).toBeGreaterThan(0);
    expect(foreign.length).toBeLessThanOrEqual(10);
    for (const { needs } of foreign) expect(needs!.split(' ').length).toBeGreaterThan(3);
  });

  test('each command of ours on a page is run by a test', () => {
    for (const name of new Set(own.map(({ name }) => name))) {
      const [file, words] = runOurs[name] ?? ['', ''];
      expect({ name, file }).toEqual({ name, file: expect.stringMatching(/\.test\.ts$/) });
      expect(read(join('test/start', file))).toContain(words);
    }
  });

  const words = (text: string) => (text.match(/(?:"[^"]*"|[^\s"])+/g) ?? []).map((word) => word.replaceAll('"', ''));
  test.each(own)('$page: $name$rest is parsed by the command line, workflow and inputs exist', ({ name, rest }) => {
    const { options, positionals: names } = commands[name]!;
    const { values, positionals } = parseArgs({ args: words(rest), options, allowPositionals: true });
    expect(positionals.length).toBeLessThanOrEqual(names.length);
    if (name !== 'dispatch') return;
    const inputs = parse(read(`workflows/${positionals[0]}.yml`)).on.workflow_dispatch?.inputs ?? {};
    for (const field of (values['field'] as string[] | undefined) ?? [])
      expect(Object.keys(inputs)).toContain(field.split('=')[0]);
  });

  test('operations and options of aws are those of its own model', async () => {
    const used = commandLines.flatMap(({ line }) =>
      line
        .split(/(?<![\w.-])(?=aws [a-z0-9-]+ [a-z0-9-]+)/)
        .flatMap((part) => [...part.matchAll(/^aws ([a-z0-9-]+) ([a-z0-9-]+)(.*)$/g)])
        .map(([, service, operation, rest]) => [
          service,
          operation,
          [...rest!.matchAll(/ --([a-z-]+)/g)].map(([, option]) => option),
        ]),
    );
    expect(used.length).toBeGreaterThan(8);
    const { python } = await ensureTools({ directory: join(root, '.sagemaker-mlops/python'), progress: () => {} });
    const problems = execFileSync(python, [join(root, 'test/start/aws_options.py'), JSON.stringify(used)], {
      encoding: 'utf8',
      env: pythonEnvironment(),
    });
    expect(JSON.parse(problems)).toEqual([]);
  });

  // https://cli.github.com/manual/gh_api
  test('gh is asked for an API path with options it has', () => {
    const gh = commandLines.map(({ line }) => line).filter((line) => line.startsWith('gh '));
    for (const line of gh)
      expect(line).toMatch(
        /^gh api (repos|orgs|users)\/\S+(?: --(?:jq|method|input|silent|field)(?: '[^']*'| \S+)?)*$/,
      );
  });

  test('the seed compiles as docs/your-model.md does: the same lines', () => {
    const lines = (page: string) =>
      commandLines.filter((one) => one.page === page && one.line.includes('.venv')).map(({ line }) => line);
    expect(lines('seed-code/model-build/README.md')).toEqual(lines('docs/your-model.md'));
  });
});

describe('setup of a further stage, in docs/stages.md', () => {
  test('is what init writes for the stages it knows', async () => {
    const [admin, canary] = ['111122223333', '666677778888'];
    const files = await setupFiles(
      root,
      {
        region: 'eu-west-1',
        project: { name: 'abalone', id: 'p-0123456789ab' },
        repository: { owner: 'acme', ownerId: 1, name: 'abalone', id: 123456789, defaultBranch: 'main' },
        productRepository: 'sagemaker-mlops/sagemaker-mlops',
        accounts: [
          { id: admin, name: 'admin', admin: true },
          { id: canary, name: 'staging' },
        ],
      },
      'a test',
    );
    const script = files.get('setup/aws.sh')!.replaceAll('staging', 'canary').replaceAll('Staging', 'Canary');
    const pieces = all.filter(({ page, text }) => page === 'docs/stages.md' && isPieceOfSetup(text));
    expect(pieces).toHaveLength(2);
    for (const { text } of pieces) expect(script).toContain(text);
  });
});

describe('tables', () => {
  /** First column of the table below a heading, as written in backticks. */
  const column = (page: string, heading: string): string[] => {
    const section = read(page).split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
    return [...section.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name]) => name!);
  };

  /** Every key a stage file may have, as people write it: endpoint.instance-type, waves[].rest. */
  const stageKeys = (): string[] => {
    const walk = (schema: any, prefix: string): string[] =>
      Object.entries<any>(schema.properties ?? {}).flatMap(([name, one]) => [
        prefix + name,
        ...walk(one, `${prefix}${name}.`),
        ...(one.items === undefined ? [] : walk(one.items, `${prefix}${name}[].`)),
      ]);
    return walk(JSON.parse(read('schemas/stage.schema.json')), '');
  };

  test('docs/stages.md has every key of the schema, and no other', () => {
    expect(column('docs/stages.md', 'The stage file').sort()).toEqual(stageKeys().sort());
  });

  test('the README of the seed has every key at the top', () => {
    const text = read('seed-code/model-deploy/README.md').split('## Fields of a stage file')[1]!;
    for (const key of stageKeys().filter((one) => !/[.[]/.test(one))) expect(text).toContain(`\`${key}`);
  });

  test('defaults in docs/stages.md are those of the code', () => {
    const { preferences, test: asked } = parseStage(
      'x.yml',
      'environment: x\nregion: eu-west-1\naccounts: ["111122223333"]\nendpoint: {instance-type: ml.m5.large, instance-count: 1}',
    );
    const row = (key: string) => new RegExp(`^\\| \`${key}\` \\| ([^|]*) \\|`, 'm').exec(read('docs/stages.md'))![1]!;
    expect(Number(row('preferences.max-concurrent-count'))).toBe(preferences.maxConcurrentCount);
    expect(Number(row('preferences.failure-tolerance-count'))).toBe(preferences.failureToleranceCount);
    expect(row('preferences.concurrency-mode')).toBe(`\`${preferences.concurrencyMode}\``);
    expect(Number(row('test.rows'))).toBe(asked.rows);
    expect(Number(row('test.tolerance'))).toBe(asked.tolerance);
  });

  test('docs/stages.md has every failure code, in the order of the code', () => {
    expect(column('docs/stages.md', 'Reading a failure')).toEqual([...failureCodes]);
  });

  test('docs/your-model.md names the steps and images that run here, and steps that do not', () => {
    const page = read('docs/your-model.md');
    const row = /^\| steps \| ([^|]+) \| ([^|]+) \|$/m.exec(page)!;
    const runs = Object.keys(stepTypes).filter((name) => stepTypes[name]!.unsupported === undefined);
    expect(row[1]!.split(', ').sort()).toEqual(runs.sort());
    expect(page).toContain(`**Steps**: ${row[1]}.`);
    for (const name of row[2]!.replace(/ and all others$/, '').split(', '))
      expect(stepTypes[name]!.unsupported).toBeDefined();
    const serving = /^\| serving, transform \| ([^|]+) \|/m.exec(page)![1]!;
    expect([...serving.matchAll(/`(sagemaker-[\w-]+)`/g)].map(([, name]) => name).sort()).toEqual(
      [...knownRepositories].sort(),
    );
  });

  test('docs/your-model.md names the versions that stand in for the images', () => {
    const versions = [
      ...read('docs/your-model.md').matchAll(/\b(xgboost|scikit-learn|numpy|pandas|scipy) (\d[\d.]*\d)/g),
    ];
    const lock = read('local/python/locks/runtime.txt');
    expect(versions.length).toBe(5);
    for (const [, name, version] of versions)
      expect(lock).toMatch(new RegExp(`^${name}(-cpu)?==${version!.replaceAll('.', '\\.')}\\b`, 'm'));
  });
});

describe('YAML', () => {
  const yaml = all.filter(({ language }) => language === 'yaml' || language === 'yml');

  test('there are some', () => expect(yaml.length).toBeGreaterThan(5));

  /** A file of a project is what its first comment says, or what its keys say. */
  const judge = (text: string, written: any) => {
    const file = /^# (model-\S+\.yml)$/m.exec(text)?.[1];
    if (file?.includes('/stages/')) expect(parseStage(file, text).name).toBe(/(\w+)\.yml$/.exec(file)![1]);
    else if (file === 'model-build/gate.yml' || 'rules' in written) readChecked('gate.yml', text, validateGate);
    else if (file === 'model-build/build.yml' || 'definition' in written) readChecked('build.yml', text, validateBuild);
    else expect(file).toBeUndefined();
  };

  test('files of a project are among them', () => {
    const files = yaml.flatMap(({ text }) => /^# (model-\S+\.yml)$/m.exec(text)?.[1] ?? []);
    expect([...new Set(files)].sort()).toEqual([
      'model-build/build.yml',
      'model-build/gate.yml',
      'model-deploy/stages/canary.yml',
      'model-deploy/stages/production.yml',
    ]);
  });

  test('build.yml on the pages gives parameters that the definition has', () => {
    const patch = codeBlocks(read('docs/your-model.md')).find(({ language }) => language === 'diff')!.text;
    const declared = parse(read('seed-code/model-build/pipeline.json')).Parameters.map(({ Name }: any) => Name);
    expect(patch).toContain('ParameterInteger("Degree"');
    for (const { text } of yaml.filter(({ text }) => text.includes('definition:'))) {
      const { parameters = {}, uploads = {}, images = {} } = parse(text);
      for (const name of Object.keys({ ...parameters, ...uploads, ...images })) expect(declared).toContain(name);
    }
  });

  test.each(yaml.map((block, index) => ({ ...block, index })))('$page, block $index', ({ text }) => {
    const uses: { uses: string; with?: Record<string, unknown> }[] = [];
    const walk = (node: unknown) => {
      if (typeof node !== 'object' || node === null) return;
      if ('uses' in node && typeof node.uses === 'string') uses.push(node as { uses: string });
      for (const child of Object.values(node)) walk(child);
    };
    const written: unknown = parse(text);
    judge(text, written);
    walk(written);
    for (const step of uses) {
      const path = /^OWNER\/REPO(?:\/([^@]+))?@/.exec(step.uses);
      if (path === null) {
        // Somebody else's action: pinned by its full commit.
        expect(step.uses).toMatch(/@[0-9a-f]{40}$/);
        continue;
      }
      const target = path[1] ?? '';
      const file = target.endsWith('.yml') ? target : join(target, 'action.yml');
      expect(existsSync(join(root, file))).toBe(true);
      const definition = parse(readFileSync(join(root, file), 'utf8'));
      const inputs = definition.inputs ?? definition.on.workflow_call.inputs;
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(step.with ?? {})));
      if (!/shortened|\.\.\./.test(text)) {
        const required = Object.entries<any>(inputs).filter(
          ([, input]) => input.required === true && input.default === undefined,
        );
        expect(Object.keys(step.with ?? {})).toEqual(expect.arrayContaining(required.map(([name]) => name)));
      }
    }
  });
});

describe('links', () => {
  const links = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => ({
      page,
      link: match[1]!,
    })),
  );
  test.each(links)('$page -> $link', ({ page, link }) => {
    expect(existsSync(join(root, page, '..', link))).toBe(true);
  });
});
