/** A workflow command that a step printed: `::error file=a.py,line=3::text`. */
export interface Command {
  name: string;
  properties: Record<string, string>;
  message: string;
}

const unescapeData = (text: string) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const unescapeProperty = (text: string) =>
  text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');

const unescapeOld = (text: string) =>
  text
    .replaceAll('%3B', ';')
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%5D', ']')
    .replaceAll('%25', '%');

/** Undefined for an ordinary line. Leading white space is allowed, as on the runner, which also still reads the older `##[error]text`. */
export function parseCommand(line: string): Command | undefined {
  const match = /^\s*::([A-Za-z][\w-]*)(?:\s+(.*?))?::(.*)$/s.exec(line);
  if (match) {
    return {
      name: match[1]!.toLowerCase(),
      properties: pairs(match[2], ',', unescapeProperty),
      message: unescapeData(match[3]!),
    };
  }
  const old = /##\[([A-Za-z][\w-]*)(?:\s+([^\]]*))?\](.*)$/s.exec(line);
  if (!old) return undefined;
  return { name: old[1]!.toLowerCase(), properties: pairs(old[2], ';', unescapeOld), message: unescapeOld(old[3]!) };
}

function pairs(text = '', separator: string, decode: (text: string) => string): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const part of text.split(separator)) {
    const equals = part.indexOf('=');
    if (equals > 0) properties[part.slice(0, equals).trim()] = decode(part.slice(equals + 1));
  }
  return properties;
}
