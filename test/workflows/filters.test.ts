import { describe, expect, test } from '@jest/globals';
import { matchesFnmatch } from '../../local/github/run/fnmatch.ts';
import { matchesFilter, patternToRegExp, pushMatches } from '../../local/github/workflow/filters.ts';

/** Patterns and examples of https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet, then cases in which common glob libraries answer differently. */
describe('patterns', () => {
  test.each<[pattern: string, matching: string[], others: string[]]>([
    ['feature/*', ['feature/my-branch', 'feature/your-branch'], ['feature/beta-a/my-branch', 'feature', 'main']],
    ['feature/**', ['feature/beta-a/my-branch', 'feature/your-branch', 'feature/mona/the/octocat'], ['main']],
    ['main', ['main'], ['releases/main', 'main2']],
    ['releases/mona-the-octocat', ['releases/mona-the-octocat'], ['releases/mona']],
    ["'*'".slice(1, -1), ['main', 'releases'], ['all/the/branches']],
    ['**', ['all/the/branches', 'every/tag', 'x'], []],
    ['*feature', ['mona-feature', 'feature', 'ver-10-feature'], ['feature-2', 'a/feature']],
    ['v2*', ['v2', 'v2.0', 'v2.9'], ['v1', 'v2/x']],
    ['v[12].[0-9]+.[0-9]+', ['v1.10.1', 'v2.0.0'], ['v3.0.0', 'v1.x.0', 'v1.0']],
    ['*.jsx?', ['page.js', 'page.jsx'], ['page.jsxx', 'src/page.js', 'page.jsy']],
    ['*.js', ['app.js', 'index.js'], ['js/index.js']],
    ['**.js', ['index.js', 'js/index.js', 'src/js/app.js'], ['index.jsx']],
    ['docs/*', ['docs/README.md', 'docs/file.txt'], ['docs/a/b.md']],
    ['docs/**', ['docs/README.md', 'docs/mona/octocat.txt'], ['doc/x', 'docs']],
    ['docs/**/*.md', ['docs/README.md', 'docs/mona/hello-world.md', 'docs/a/markdown/file.md'], ['docs/x.txt']],
    ['**/docs/**', ['docs/hello.md', 'dir/docs/my-file.txt', 'space/docs/plan/space.doc'], ['docs']],
    ['**/README.md', ['README.md', 'js/README.md'], ['README.mdx', 'xREADME.md']],
    ['**/*src/**', ['a/src/app.js', 'my-src/code/js/app.js', 'src/x'], ['srcs/x']],
    ['**/*-post.md', ['my-post.md', 'path/their-post.md'], ['post.md']],
    ['**/migrate-*.sql', ['migrate-10909.sql', 'db/migrate-v1.0.sql', 'db/sept/migrate-v1.sql'], ['migrate.sql']],
    // `+` and `?` repeat the character before; they are no glob characters of their own.
    ['ab+c', ['abc', 'abbbc'], ['ac', 'ab+c']],
    ['colou?r', ['color', 'colour'], ['colouur', 'colouxr']],
    ['v1.?', ['v1.', 'v1'], ['v1.2']],
    ['a.b', ['a.b'], ['axb']],
    ['file\\*', ['file*'], ['file1']],
    [
      'model-build/**',
      ['model-build/x', 'model-build/.hidden', 'model-build/a/b.py'],
      ['model-builder/x', 'x/model-build/y'],
    ],
    ['.github/workflows/*.yml', ['.github/workflows/a.yml'], ['.github/workflows/a/b.yml', 'xgithub/workflows/a.yml']],
    ['(a|b)', ['(a|b)'], ['a', 'b']],
  ])('%s', (pattern, matching, others) => {
    expect(matching.filter((name) => !patternToRegExp(pattern).test(name))).toEqual([]);
    expect(others.filter((name) => patternToRegExp(pattern).test(name))).toEqual([]);
  });

  test.each([
    [['docs/**', '!docs/private/**'], 'docs/private/x', false],
    [['docs/**', '!docs/private/**', 'docs/private/public/**'], 'docs/private/public/x', true],
    [['!docs/private/**', 'docs/**'], 'docs/private/x', true],
    [['!docs/**'], 'src/x', false],
    [['*.md', '!README.md'], 'README.md', false],
    [['*.md', '!README.md', 'README*'], 'README.md', true],
  ])('the order of %j decides about %s', (patterns, name, expected) => {
    expect(matchesFilter(patterns, name)).toBe(expected);
  });

  test.each(['v[12', 'x[!a]', 'x[a.b]'])('%s is refused', (pattern) =>
    expect(() => patternToRegExp(pattern)).toThrow(pattern),
  );
});

describe('which pushes start a workflow', () => {
  const branch = 'refs/heads/main';
  const tag = 'refs/tags/v1.0';
  test.each<
    [
      what: string,
      filters: Parameters<typeof pushMatches>[0],
      ref: string,
      changed: string[] | undefined,
      expected: boolean,
    ]
  >([
    ['no filter, branch', {}, branch, ['x'], true],
    ['no filter, tag', {}, tag, undefined, true],
    ['branches only: no tags', { branches: ['**'] }, tag, undefined, false],
    ['tags only: no branches', { tags: ['**'] }, branch, ['x'], false],
    ['tags only: tags', { tags: ['v*'] }, tag, undefined, true],
    ['tags-ignore', { tagsIgnore: ['v1*'] }, tag, undefined, false],
    ['tags-ignore of others', { tagsIgnore: ['v2*'] }, tag, undefined, true],
    ['branches-ignore', { branchesIgnore: ['main'] }, branch, ['x'], false],
    ['branches-ignore of others', { branchesIgnore: ['release/**'] }, branch, ['x'], true],
    ['a matching path', { paths: ['model-build/**'] }, branch, ['README.md', 'model-build/a.py'], true],
    ['no matching path', { paths: ['model-build/**'] }, branch, ['README.md', 'model-deploy/a.yml'], false],
    ['only ignored paths', { pathsIgnore: ['docs/**'] }, branch, ['docs/a.md', 'docs/b/c.md'], false],
    ['one path that is not ignored', { pathsIgnore: ['docs/**'] }, branch, ['docs/a.md', 'src/x'], true],
    ['paths taken back', { paths: ['src/**', '!src/docs/**'] }, branch, ['src/docs/x.md'], false],
    ['branch and path must both match', { branches: ['release/**'], paths: ['**'] }, branch, ['x'], false],
    [
      'no diff (first push, force push, very large): paths match',
      { paths: ['model-build/**'] },
      branch,
      undefined,
      true,
    ],
    ['no diff, but another branch', { branches: ['dev'], paths: ['model-build/**'] }, branch, undefined, false],
    ['paths are not evaluated for tags', { paths: ['model-build/**'] }, tag, undefined, true],
    ['an empty push has no matching path', { paths: ['**'] }, branch, [], false],
  ])('%s', (_, filters, ref, changed, expected) => {
    expect(pushMatches(filters, { ref, changed })).toBe(expected);
  });
});

describe('branch rules of environments (fnmatch)', () => {
  test.each([
    ['main', 'main', true],
    ['release/*', 'release/1', true],
    ['release/*', 'release/1/fix', false],
    ['*', 'a/b', false],
    ['release/**/*', 'release/a/b', true],
    ['v[0-9]', 'v7', true],
    ['v[!0-9]', 'v7', false],
    ['ma?n', 'main', true],
    ['colou?r', 'color', false],
  ])('%s on %s', (pattern, name, expected) => expect(matchesFnmatch(pattern, name)).toBe(expected));
});
