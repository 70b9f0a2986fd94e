import { closest } from '../github/suggest.ts';

const longest = 700;
const shown = 3;

/** `Resource handler returned message: "..." (RequestToken: ...)`, as CloudFormation wraps what a service answered. */
const wrapped = /Resource handler returned message: "([\s\S]*)"(?: \(RequestToken: [^()]*\))?/;
/** Numbers that only AWS's support can use. */
const support = /\s*\((?:Service|Status Code|Request ID|RequestToken|SDK Attempt Count): [^()]*\)/g;

/** A list of allowed values may have hundreds: those nearest to the value that was given, and how many there are. */
function shortLists(words: string): string {
  return words.replace(/enum value set: \[([^\]]*)\]/g, (all, list: string, at: number) => {
    const values = list.split(',').map((value) => value.trim());
    if (values.length <= 2 * shown) return all;
    const given = [...words.slice(0, at).matchAll(/Value '([^']*)'/g)].at(-1)?.[1] ?? '';
    return `enum value set: [${closest(given, values, shown).join(', ')} and ${values.length - shown} more]`;
  });
}

/** What a service or CloudFormation says about a failure, as one sentence that fits a screen. */
export function inShort(words: string): string {
  const bare = words.replace(wrapped, '$1').replace(support, '');
  const text = shortLists(bare).replace(/\s+/g, ' ').trim();
  return text.length <= longest ? text : `${text.slice(0, longest)}...`;
}
