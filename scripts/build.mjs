// Builds dist/: esbuild bundles root.ts over all actions (ES modules of the SDK, split at every lazy import), ncc runs over the
// result, and each action gets an entry of a few lines. `--check` builds elsewhere and fails when dist/ differs.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ncc from '@vercel/ncc';
import { build, transform } from 'esbuild';
import { actionNames, generate, root } from './generate.mjs';

/**
 * Loaded for their named exports only: without this @actions/core drags undici (430 kB, 45 ms) into every action.
 */
const pure = /node_modules\/(@actions\/|undici\/|tunnel\/)/;

/**
 * Stand-ins for what @actions/github loads and we do not use. undici is Node's own fetch here; behind a proxy NODE_USE_ENV_PROXY=1
 * makes it (and the AWS SDK) use HTTPS_PROXY. The table of REST methods is left out: `octokit.request('GET /...')` needs none.
 */
const replaced = {
  undici: [
    'export const fetch = (url, { dispatcher, ...options } = {}) => globalThis.fetch(url, options);',
    'export class ProxyAgent {}',
  ].join('\n'),
  // The SDK's user agent of browsers.
  bowser: 'export default {};',
  '@octokit/plugin-rest-endpoint-methods': 'export const restEndpointMethods = () => ({});',
};

const leanImports = {
  name: 'lean-imports',
  setup(setup) {
    const resolveOnce = async (args) => {
      const { resolveDir, importer, kind } = args;
      const result = await setup.resolve(args.path, { resolveDir, importer, kind, pluginData: 'resolved' });
      return result.errors.length > 0 ? result : { path: result.path, external: result.external, sideEffects: false };
    };
    setup.onResolve({ filter: /^(undici|bowser|@octokit\/plugin-rest-endpoint-methods)$/ }, ({ path }) => ({
      path,
      namespace: 'replaced',
      sideEffects: false,
    }));
    setup.onLoad({ filter: /.*/, namespace: 'replaced' }, ({ path }) => ({ contents: replaced[path], loader: 'js' }));
    // Clients read their own version for the user agent; the rest of their package.json is 2 kB each.
    setup.onLoad({ filter: /@aws-sdk\/client-[^/]+\/package\.json$/ }, ({ path }) => {
      const { name, version } = JSON.parse(readFileSync(path, 'utf8'));
      return { contents: JSON.stringify({ name, version }), loader: 'json' };
    });
    setup.onResolve({ filter: /^(@actions\/|tunnel$)/ }, (args) =>
      args.pluginData === 'resolved' ? undefined : resolveOnce(args),
    );
    setup.onResolve({ filter: /^\.\.?\// }, (args) =>
      args.pluginData === 'resolved' || !pure.test(args.importer.split(sep).join('/')) ? undefined : resolveOnce(args),
    );
  },
};

/** One module with every command behind a lazy import, for the entries and for the root action. */
function commands(names) {
  return [
    "import { startAction, startCommand } from './src/github/action.ts';",
    'const commands = {',
    ...names.map((name) => `  '${name}': () => import('./actions/${name}/main.ts'),`),
    '};',
    'export async function start(name) {',
    '  if (name === undefined) return startCommand(commands);',
    '  return startAction((await commands[name]()).default);',
    '}',
  ].join('\n');
}

function licences(metafile) {
  const packages = new Map();
  for (const [output] of Object.entries(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(metafile.outputs[output].inputs)) {
      const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (match !== null && bytesInOutput > 0) packages.set(match[1], true);
    }
  }
  // Packages that share a text (nearly all of the SDK) are listed above one copy of it.
  const byText = new Map();
  for (const folder of [...packages.keys()].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text =
      file === undefined
        ? ''
        : readFileSync(join(root, folder, file), 'utf8')
            .trim()
            .replace(/\r/g, '');
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const texts = [...byText].map(([text, heads]) => `${heads.join('\n')}\n\n${text}\n`);
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** One build at a time: webpack derives module ids from paths, so the work has to be done at the same place every time. */
async function alone(work) {
  const lock = join(root, 'build', 'lock');
  mkdirSync(join(root, 'build'), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!isRunning(Number(readFileSync(lock, 'utf8')))) rmSync(lock, { force: true });
      else await setTimeout(100);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Builds all of dist in memory: name -> contents. */
export function bundle() {
  return alone(bundleAlone);
}

async function bundleAlone() {
  const work = join(root, 'build');
  // webpack's module ids are hashes of paths relative to the working directory.
  process.chdir(root);
  const names = actionNames();
  const esm = join(work, 'esm');
  rmSync(esm, { recursive: true, force: true });
  const result = await build({
    stdin: { contents: commands(names), resolveDir: root, sourcefile: 'commands.ts', loader: 'ts' },
    absWorkingDir: root,
    entryNames: 'index',
    chunkNames: 'chunk-[hash]',
    outdir: esm,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    preserveSymlinks: true,
    minify: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    banner: {
      // For the few CommonJS packages inside. ncc leaves this form of require alone.
      js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    },
    plugins: [leanImports],
  });
  writeFileSync(join(esm, 'package.json'), '{"type":"module"}\n');
  const log = console.log;
  console.log = () => undefined; // ncc announces itself on standard output
  let packed;
  try {
    packed = await ncc(join(esm, 'index.mjs'), {
      cache: false,
      quiet: true,
      minify: false,
      target: 'es2024',
      esm: true,
    });
  } finally {
    console.log = log;
  }
  const files = new Map();
  // webpack writes its own module headers and long names around what was small before.
  const squeeze = async (code) =>
    (await transform(code, { minify: true, target: 'node24', format: 'esm', legalComments: 'none' })).code;
  files.set('index.js', await squeeze(packed.code));
  for (const [file, { source }] of Object.entries(packed.assets)) {
    files.set(file, /\.m?js$/.test(file) ? await squeeze(source.toString()) : source);
  }
  files.set('package.json', '{"type":"module"}\n');
  for (const name of names) files.set(`${name}.js`, `import { start } from './index.js';\nawait start('${name}');\n`);
  files.set('root.js', "import { start } from './index.js';\nawait start();\n");
  files.set('licenses.txt', licences(result.metafile));
  writeFileSync(join(work, 'metafile.json'), JSON.stringify(result.metafile));
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readDist() {
  const folder = join(root, 'dist');
  try {
    return new Map(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const path = join(entry.parentPath, entry.name);
          return [relative(folder, path).split(sep).join('/'), readFileSync(path)];
        }),
    );
  } catch {
    return new Map();
  }
}

/** Paths in which what was built differs from what dist/ holds. */
export function differences(files) {
  const present = readDist();
  const names = new Set([...files.keys(), ...present.keys()]);
  return [...names]
    .filter((name) => !present.get(name)?.equals(Buffer.from(files.get(name) ?? '')) || !files.has(name))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  const stale = await generate({ check });
  const files = await bundle();
  const changed = differences(files);
  if (check) {
    for (const file of [...stale, ...changed.map((name) => `dist/${name}`)]) console.log(`out of date: ${file}`);
    if (stale.length + changed.length > 0) {
      console.log('Run `npm run build` and commit what it writes.');
      process.exitCode = 1;
    }
  } else {
    for (const name of changed) {
      const path = join(root, 'dist', name);
      if (!files.has(name)) {
        rmSync(path);
        continue;
      }
      mkdirSync(dirname(path), { recursive: true });
      // Renamed into place, so that nobody ever runs half a file.
      writeFileSync(`${path}.new`, files.get(name));
      renameSync(`${path}.new`, path);
    }
    const bytes = [...files]
      .filter(([name]) => /\.m?js$/.test(name))
      .reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
    console.log(`dist: ${files.size} files, ${bytes} bytes of code, ${changed.length} changed`);
  }
}
