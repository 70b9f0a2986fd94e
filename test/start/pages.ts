/** What stands on the pages: code blocks, with what they are marked as. */

export interface CodeBlock {
  /** What the fence names; `indented` for a block without one. */
  language: string;
  /** Without the indentation of the list that it stands in. */
  text: string;
  /** Reason of the comment `<!-- needs AWS: reason -->` (or GitHub) before it. */
  needs: string | undefined;
}

const fence = /^(?<indent> *)```(?<language>\w*)\n(?<text>[\s\S]*?)^\k<indent>```/gm;
/** Four blanks are a block; below a numbered step seven. */
const indented = /(?:^ {4,}\S.*\n?)+/gm;

function needsOf(before: string): string | undefined {
  return /<!-- needs (?:AWS|GitHub): ([^\n]+?) -->\s*$/.exec(before)?.[1];
}

export function codeBlocks(page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  for (const match of page.matchAll(fence)) {
    const { indent = '', language = '', text = '' } = match.groups!;
    blocks.push({
      language,
      text: text.replace(new RegExp(`^${indent}`, 'gm'), ''),
      needs: needsOf(page.slice(0, match.index)),
    });
  }
  const rest = page.replace(fence, '');
  for (const match of rest.matchAll(indented)) {
    blocks.push({
      language: 'indented',
      text: match[0].replace(/^ +/gm, ''),
      needs: needsOf(rest.slice(0, match.index)),
    });
  }
  return blocks;
}
