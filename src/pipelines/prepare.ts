import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type Failure, FailureError } from '../failure.ts';
import { lineFinder, pathParts } from '../github/lines.ts';
import { readChecked } from '../github/schema.ts';
import type { ProjectNames } from '../names.ts';
import { validate } from './build-file.generated.ts';
import type { BuildFile } from './build-file.ts';
import { type Definition, parseDefinition, renderRoles } from './definition.ts';
import { imageUri } from './images.ts';
import { lintDefinition } from './lint.ts';
import { resolveParameters } from './parameters.ts';
import { missingPath, planUpload, type Upload } from './uploads.ts';
import { validateDefinition } from './validate.ts';

export interface PrepareRequest {
  /** Folder of the checkout; nothing outside of it is read. */
  workspace: string;
  /** The build file, relative to the workspace. */
  configuration: string;
  /** The action's own parameters; they win over the build file's. */
  parameters: Readonly<Record<string, string>>;
  region: string;
  bucket: string;
  names: ProjectNames;
  commit: string;
  runUrl: string;
  selectedSteps: readonly string[] | undefined;
}

/** Everything that can be known without AWS; what is left is the account's role and key. */
export interface Prepared {
  build: BuildFile;
  definition: Definition;
  uploads: Upload[];
  advice: string[];
  /** The execution's parameters; key ARN and the like are filled in by then. */
  parameters(kmsKeyArn: string): Record<string, string>;
  render(roles: Readonly<Record<'job' | 'pipeline', string>>): Definition;
}

function readText(workspace: string, path: string, what: string): string {
  const absolute = resolve(workspace, path);
  if (relative(workspace, absolute).startsWith('..')) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: path,
      cause: `${what} ${path} lies outside of the checkout`,
    });
  }
  try {
    return readFileSync(absolute, 'utf8');
  } catch (error) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: path,
      cause: `${what} ${path} cannot be read: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (error as Error).message}`,
      hint: 'Run actions/checkout before this step; the path is relative to the checkout',
    });
  }
}

/** Reads and checks build file, definition and uploads. All problems of the definition and its parameters come together. */
export async function prepare(request: PrepareRequest): Promise<Prepared> {
  const { configuration, workspace, region } = request;
  const file = configuration;
  const buildText = readText(workspace, file, 'The build file');
  const build = readChecked<BuildFile>(file, buildText, validate);
  const folder = dirname(file);
  const definitionFile = join(folder, build.definition);
  const definitionText = readText(workspace, definitionFile, 'The definition');
  const definition = parseDefinition(definitionFile, definitionText);

  const problems: Failure[] = validateDefinition(definitionFile, definition);
  const placeholders = build.roles ?? {};
  problems.push(
    ...renderRoles(definitionFile, definition, Object.fromEntries(Object.keys(placeholders).map((key) => [key, key])))
      .problems,
  );
  const stepNames = new Set((definition.Steps ?? []).map((step) => step?.Name));
  for (const step of request.selectedSteps ?? []) {
    if (!JSON.stringify(definition).includes(JSON.stringify(step)) && !stepNames.has(step)) {
      problems.push({
        code: 'InvalidInput',
        resource: 'selected-steps',
        cause: `Input \`selected-steps\` names ${step}, which is no step of the pipeline`,
      });
    }
  }

  const images: Record<string, string> = {};
  for (const [parameter, image] of Object.entries(build.images ?? {})) {
    const { uri, problem } = imageUri(file, parameter, image, region);
    if (problem !== undefined) problems.push(problem);
    images[parameter] = uri ?? '';
  }

  const uploads: Upload[] = [];
  const locations: Record<string, string> = {};
  for (const [parameter, path] of Object.entries(build.uploads ?? {})) {
    const own = join(folder, path);
    const absolute = resolve(workspace, own);
    if (relative(workspace, absolute).startsWith('..') || !existsSync(absolute)) {
      problems.push(missingPath(file, parameter, own));
      locations[parameter] = '';
      continue;
    }
    const upload = await planUpload(parameter, absolute.replace(/\/$/, ''), request.bucket);
    uploads.push(upload);
    locations[parameter] = upload.uri;
  }

  const sources = (kmsKeyArn: string) => ({
    given: { ...images, ...locations, ...build.parameters, ...request.parameters },
    known: {
      KmsKeyArn: kmsKeyArn,
      OutputUri: `s3://${request.bucket}`,
      ModelPackageGroupName: request.names.base,
      Commit: request.commit || undefined,
      RunUrl: request.runUrl || undefined,
    },
  });
  if (problems.length === 0) problems.push(...resolveParameters(file, definition, sources('arn')).problems);
  if (problems.length > 0) {
    const inBuild = lineFinder(buildText);
    const inDefinition = lineFinder(definitionText);
    throw new FailureError(
      problems.map((problem) => {
        const { resource, logicalId = '' } = problem;
        const section = (['uploads', 'images', 'parameters'] as const).find(
          (name) => build[name]?.[logicalId] !== undefined,
        );
        const line =
          resource === definitionFile && logicalId !== ''
            ? inDefinition(pathParts(logicalId))
            : resource === file
              ? inBuild(section === undefined ? ['parameters'] : [section, logicalId])
              : undefined;
        return line === undefined ? problem : { ...problem, line };
      }),
    );
  }

  return {
    build,
    definition,
    uploads,
    advice: lintDefinition(definition),
    parameters: (kmsKeyArn) => resolveParameters(file, definition, sources(kmsKeyArn)).values,
    render: (roles) =>
      renderRoles(
        definitionFile,
        definition,
        Object.fromEntries(Object.entries(placeholders).map(([key, kind]) => [key, roles[kind]])),
      ).definition,
  };
}
