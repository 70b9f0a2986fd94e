import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { exists } from '../origin.ts';
import { findFiles, leastCommonAncestor } from '../run/globs.ts';
import type { JobState } from '../run/state.ts';
import { patternToRegExp } from '../workflow/filters.ts';
import type { StandInInputs, StandInResult } from './catalog.ts';

const artifactInfo = (job: JobState, name: string) => join(job.folders.artifacts, `${name}.json`);

/** Artifacts are folders below runs/ID/artifacts; a name can be used once, as on GitHub. */
export async function uploadArtifact(job: JobState, inputs: StandInInputs): Promise<StandInResult> {
  const name = checkName(inputs.name!);
  if (inputs.path === '') throw new Error('Input required and not supplied: path');
  const patterns = [inputs.path!];
  let files = findFiles(patterns, job.folders.workspace);
  if (inputs['include-hidden-files'] !== 'true')
    files = files.filter(
      (file) =>
        !relative(job.folders.workspace, file)
          .split('/')
          .some((part) => part.startsWith('.') && part !== '..'),
    );
  if (files.length === 0) {
    const message = `No files were found with the provided path: ${inputs.path}. No artifacts will be uploaded.`;
    if (inputs['if-no-files-found'] === 'error') throw new Error(message);
    job.log.line(inputs['if-no-files-found'] === 'warn' ? `##[warning]${message}` : message);
    return { outcome: 'success', outputs: {} };
  }
  const target = join(job.folders.artifacts, name);
  const { run } = job.spec.facts;
  if (await exists(target)) {
    // A name can be used once per attempt; a re-run may upload it again.
    const { attempt } = JSON.parse(await readFile(artifactInfo(job, name), 'utf8')) as { attempt: number };
    if (attempt === run.attempt && inputs.overwrite !== 'true') {
      throw new Error(`(409) Conflict: an artifact named '${name}' already exists on the workflow run`);
    }
    await rm(target, { recursive: true, force: true });
  }
  const root = leastCommonAncestor(patterns, job.folders.workspace, files);
  const hash = createHash('sha256');
  let size = 0;
  for (const file of files) {
    const content = await readFile(file);
    size += content.length;
    hash.update(relative(root, file)).update(content);
    await mkdir(dirname(join(target, relative(root, file))), { recursive: true });
    await cp(file, join(target, relative(root, file)));
  }
  const digest = hash.digest('hex');
  const id = Number.parseInt(
    createHash('sha256').update(`${job.spec.facts.run.id}/${name}`).digest('hex').slice(0, 8),
    16,
  );
  await writeFile(
    artifactInfo(job, name),
    JSON.stringify({ id, name, size, digest, files: files.length, attempt: run.attempt }),
  );
  job.log.line(`Artifact ${name} has been successfully uploaded! ${files.length} files, ${size} bytes.`);
  const url = `${job.github.server_url}/${job.spec.facts.repository.fullName}/actions/runs/${job.spec.facts.run.id}/artifacts/${id}`;
  return {
    outcome: 'success',
    outputs: { 'artifact-id': String(id), 'artifact-url': url, 'artifact-digest': digest },
  };
}

export async function downloadArtifact(job: JobState, inputs: StandInInputs): Promise<StandInResult> {
  const target = resolve(job.folders.workspace, inputs.path!);
  if (inputs.name !== '') {
    const source = join(job.folders.artifacts, checkName(inputs.name!));
    if (!(await exists(source)))
      throw new Error(`Unable to download artifact(s): Artifact not found for name: ${inputs.name}`);
    await cp(source, target, { recursive: true });
  } else {
    const entries = await readdir(job.folders.artifacts, { withFileTypes: true });
    const wanted = inputs.pattern === '' ? /^/ : patternToRegExp(inputs.pattern!);
    const names = entries.filter((entry) => entry.isDirectory() && wanted.test(entry.name)).map((entry) => entry.name);
    for (const name of names)
      await cp(join(job.folders.artifacts, name), inputs['merge-multiple'] === 'true' ? target : join(target, name), {
        recursive: true,
      });
    job.log.line(`Total of ${names.length} artifact(s) downloaded`);
  }
  return { outcome: 'success', outputs: { 'download-path': target } };
}

function checkName(name: string): string {
  if (name === '' || /["<>|*?:\\/\r\n]/.test(name) || name !== basename(name) || name.startsWith('.'))
    throw new Error(`The artifact name is not valid: ${name}`);
  return name;
}
