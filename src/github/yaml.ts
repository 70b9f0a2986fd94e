import { parse, YAMLParseError } from 'yaml';

/** What the parser says (it names its own grammar), and the same in the words of somebody who wrote the file. */
const plainly: readonly [said: RegExp, told: (match: RegExpExecArray) => string][] = [
  [/^Flow map in block collection must/, () => 'a { is not closed: its } is missing before'],
  [/^Flow sequence in block collection must/, () => 'a [ is not closed: its ] is missing before'],
  [
    /^Missing closing (["'])quote/,
    ([, mark]) => `a text that begins with ${mark} is not closed: its ${mark} is missing before`,
  ],
  [/^Unexpected flow-(map|seq)-end/, ([, kind]) => `a ${kind === 'map' ? '}' : ']'} closes nothing`],
  [
    /^(?:Block collections are not allowed within flow|Missing , or : between flow)/,
    () => 'a comma is missing between { and } or [ and ]',
  ],
  [/^Tabs are not allowed as indentation/, () => 'a tab indents the line, where only spaces may'],
  [/^Map keys must be unique/, () => 'a key is there twice'],
  [
    /^Nested mappings are not allowed in compact/,
    () =>
      'a second "key: value" begins inside a value: indent it like the key above, or put the value in quotation marks',
  ],
  [/^Implicit keys need to be on a single line/, () => 'a key has no colon and space after it'],
  [
    /^All mapping items must start at the same column/,
    () => 'a key is indented by another number of spaces than those beside it',
  ],
  [
    /^Sequence item without - indicator/,
    () => 'a line is indented neither like the entry above it nor like a new one (- )',
  ],
  [
    /^Plain value cannot start with .*(\S) at line/,
    ([, mark]) => `a value that begins with ${mark} must stand in quotation marks`,
  ],
  [/^Source contains multiple documents/, () => 'a second document begins (---), where a file holds one'],
];

function inPlainWords(error: YAMLParseError): string {
  const said = error.message.split('\n')[0]!.replace(/:$/, '');
  const place = / at line \d+, column \d+$/.exec(said)?.[0] ?? '';
  for (const [pattern, told] of plainly) {
    const match = pattern.exec(said);
    if (match === null) continue;
    const text = told(match);
    return `${text}${text.endsWith(' before') ? place.replace(' at', '') : place}`;
  }
  return said;
}

/**
 * Reads YAML 1.2 (JSON included); duplicate keys and bad indentation throw with line and column in one sentence, aliases are bounded
 * by the library.
 */
export function readYaml(text: string): unknown {
  try {
    return parse(text, { prettyErrors: true, strict: true });
  } catch (error) {
    if (error instanceof YAMLParseError) error.message = inPlainWords(error);
    throw error;
  }
}
