/** Commands and YAML in README and docs: they name commands, options, templates, parameters, actions and inputs that exist. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { Command } from '../../cli/command.ts';
import { root } from './support.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...globSync('docs/**/*.md', { cwd: root }),
  ...globSync('actions/*/README.md', { cwd: root }),
  'workflows/README.md',
  'templates/README.md',
  ...globSync('seed-code/*/README.md', { cwd: root }),
].filter((page) => existsSync(join(root, page)));

interface Block {
  page: string;
  language: string;
  text: string;
}

/** Fenced blocks with their language, and blocks indented by four blanks or more as commands. */
function blocks(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  const found: Block[] = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map((match) => ({
    page,
    language: match[1]!,
    text: match[2]!,
  }));
  const unfenced = text.replace(/^```[\s\S]*?^```/gm, '');
  for (const match of unfenced.matchAll(/(?:^ {4,}\S.*\n?)+/gm)) {
    found.push({ page, language: 'console', text: match[0].replace(/^ +/gm, '') });
  }
  return found;
}

const all = pages.flatMap(blocks);
/** One command a line; a backslash joins lines. Recorded output is no command. */
const commandLines = all
  .filter(({ language, text }) => ['console', 'bash', 'sh', ''].includes(language) && !text.startsWith('$ npm start'))
  .flatMap(({ page, text }) =>
    text
      .replace(/\\\n\s*/g, ' ')
      .split('\n')
      .map((line) => ({ page, line: line.replace(/\s+#\s.*$/, '').trim() }))
      .filter(({ line }) => line !== ''),
  );

const commands: Record<string, Command> = {};
for (const file of globSync('cli/commands/*.ts', { cwd: root })) {
  commands[file.split('/').at(-1)!.replace('.ts', '')] = (await import(join(root, file))).command;
}

describe('commands', () => {
  const own = commandLines.flatMap(({ page, line }) =>
    [...line.matchAll(/npx sagemaker-mlops (\S+)((?: [^|;&)"]*)?)/g)].map((match) => ({
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

  test('what no test runs because it needs AWS or GitHub is at most ten lines, each of a known kind', () => {
    const foreign = commandLines.filter(({ line }) => /^(aws cloudformation|gh) |setup\/(aws|github)\.sh/.test(line));
    expect(foreign.length).toBeLessThanOrEqual(10);
  });
});

describe('YAML', () => {
  const yaml = all.filter(({ language }) => language === 'yaml' || language === 'yml');

  test('there are some', () => expect(yaml.length).toBeGreaterThan(5));

  test.each(yaml.map((block, index) => ({ ...block, index })))('$page, block $index', ({ text }) => {
    const uses: { uses: string; with?: Record<string, unknown> }[] = [];
    const walk = (node: unknown) => {
      if (typeof node !== 'object' || node === null) return;
      if ('uses' in node && typeof node.uses === 'string') uses.push(node as { uses: string });
      for (const child of Object.values(node)) walk(child);
    };
    walk(parse(text));
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
