// Validates workflow files with GitHub's own language service. Its modules import JSON without attribute, so they are bundled first.
// Usage: language-service.mjs FILE... ; prints a JSON list of {file, line, message}. Local and $/ calls are resolved from the file's repository.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { parse } from 'yaml';

const folder = mkdtempSync(join(tmpdir(), 'language-service-'));
const bundle = join(folder, 'service.mjs');
await build({
  stdin: {
    contents:
      "export { validate } from '@actions/languageservice/validate'; export { TextDocument } from 'vscode-languageserver-textdocument';",
    resolveDir: dirname(new URL(import.meta.url).pathname),
  },
  bundle: true,
  platform: 'node',
  format: 'esm',
  outfile: bundle,
  logLevel: 'error',
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
});
const { validate, TextDocument } = await import(pathToFileURL(bundle).href);
rmSync(folder, { recursive: true, force: true });

/** The inputs of third-party actions that our workflows use; their files are not here. */
const third = {
  'actions/checkout': {
    'fetch-depth': { description: 'number of commits' },
    path: { description: 'folder' },
    'persist-credentials': { description: 'keep the token in the git configuration' },
    ref: { description: 'branch, tag or commit' },
    repository: { description: 'owner and name' },
  },
  'actions/setup-node': { 'node-version-file': { description: 'file with the version' } },
  'actions/setup-python': { 'python-version': { description: 'version' } },
};

const found = [];
for (const file of process.argv.slice(2)) {
  const repository = resolve(dirname(file), '../..');
  const uri = pathToFileURL(resolve(file)).href;
  const document = TextDocument.create(uri, 'yaml', 1, readFileSync(file, 'utf8'));
  const diagnostics = await validate(document, {
    fileProvider: {
      async getFileContent(reference) {
        const path = join(repository, 'path' in reference ? reference.path : '');
        return { name: path, content: readFileSync(path, 'utf8') };
      },
    },
    actionsMetadataProvider: {
      async fetchActionMetadata({ owner, name, path }) {
        const foreign = third[`${owner}/${name}`];
        if (foreign !== undefined) return { name, description: name, inputs: foreign, outputs: {} };
        const metadata = join(repository, path ?? name ?? '', 'action.yml');
        return existsSync(metadata) ? parse(readFileSync(metadata, 'utf8')) : undefined;
      },
    },
  });
  for (const { message, range, severity } of diagnostics) {
    found.push({ file, line: range.start.line + 1, message, severity });
  }
}
console.log(JSON.stringify(found));
