import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';

/** Parameters of a CloudFormation template and whether deploying it makes named roles; the short tags are of no interest here. */
export function readTemplate(path: string): {
  parameters: Record<string, { hasDefault: boolean }>;
  namesRoles: boolean;
} {
  const text = readFileSync(path, 'utf8');
  const document = parseDocument(text, { logLevel: 'silent' }).toJS() as {
    Parameters?: Record<string, { Default?: unknown }>;
  };
  return {
    parameters: Object.fromEntries(
      Object.entries(document.Parameters ?? {}).map(([name, { Default }]) => [
        name,
        { hasDefault: Default !== undefined },
      ]),
    ),
    namesRoles: /^\s+RoleName:/m.test(text),
  };
}
