/** Ruby's File.fnmatch with FNM_PATHNAME, which GitHub uses for deployment branch rules: `*` and `?` do not match `/`, `**` + `/` matches folders. */
export function matchesFnmatch(pattern: string, name: string): boolean {
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (pattern.startsWith('**/', index) && (index === 0 || pattern[index - 1] === '/')) {
      source += '(?:[^/]+/)*';
      index += 2;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[' && pattern.indexOf(']', index + 1) > 0) {
      const end = pattern.indexOf(']', index + 1);
      source += `[${pattern.slice(index + 1, end).replace(/^!/, '^')}]`;
      index = end;
    } else if (character === '\\' && index + 1 < pattern.length)
      source += pattern[++index]!.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    else source += character.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 's').test(name);
}
