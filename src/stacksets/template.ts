import { parseDocument } from 'yaml';
import { FailureError } from '../failure.ts';

export interface TemplateSummary {
  /** Declared parameters; undefined means that the template gives no default. */
  parameters: Readonly<Record<string, string | undefined>>;
  capabilities: readonly string[];
}

/** CloudFormation takes a template of this many bytes in a request; larger ones would have to lie in S3. */
const bodyLimit = 51_200;

/**
 * What a deployment has to know of a template (YAML or JSON). Short forms of functions (!Ref) are left as they are: only the
 * sections Parameters and Resources are looked at. Throws InvalidTemplate naming the file.
 */
export function summarizeTemplate(file: string, body: string): TemplateSummary {
  const invalid = (cause: string, hint?: string) =>
    new FailureError({ code: 'InvalidTemplate', resource: file, cause, ...(hint === undefined ? {} : { hint }) });
  const bytes = Buffer.byteLength(body);
  if (bytes > bodyLimit)
    throw invalid(`The template has ${bytes} bytes; CloudFormation takes ${bodyLimit}`, 'Split it, or shorten it');
  const document = parseDocument(body, { logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) throw invalid(`The template is no valid YAML: ${error.message.split('\n')[0]}`);
  const value: unknown = document.toJS();
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalid('The template is no mapping of sections');
  const { Parameters, Resources } = value as Record<string, unknown>;
  if (Resources === null || typeof Resources !== 'object') throw invalid('The template has no section Resources');
  const declared = Object.entries((Parameters ?? {}) as Record<string, { Default?: unknown } | null>);
  const types = Object.values(Resources as Record<string, { Type?: unknown } | null>).map((resource) =>
    String(resource?.Type),
  );
  return {
    parameters: Object.fromEntries(
      declared.map(([name, declaration]) => [
        name,
        declaration?.Default === undefined ? undefined : String(declaration.Default),
      ]),
    ),
    capabilities: types.some((type) => type.startsWith('AWS::IAM::')) ? ['CAPABILITY_NAMED_IAM'] : [],
  };
}
