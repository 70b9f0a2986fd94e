import { parse } from 'yaml';

/** Reads YAML 1.2 (JSON included); duplicate keys and bad indentation throw with line and column, aliases are bounded by the library. */
export function readYaml(text: string): unknown {
  return parse(text, { prettyErrors: true, strict: true });
}
