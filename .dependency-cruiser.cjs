// The arrows of the architecture, enforced: actions -> domains -> src/aws, src/github; local/ and src/ meet on the wire only.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'local-and-src-never-meet',
      comment: 'Otherwise one mistake would sit on both sides of the wire and every test would pass.',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: '^(src|actions|cli)/' },
    },
    {
      name: 'src-and-local-never-meet',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(local|actions|cli)/' },
    },
    {
      name: 'domains-stand-alone',
      comment: 'Only src/deploy, src/cleanup and src/project combine domains.',
      severity: 'error',
      from: { path: '^src/(pipelines|registry|stacksets|endpoints|monitoring)/' },
      to: {
        path: '^src/(pipelines|registry|stacksets|endpoints|monitoring|deploy|cleanup|project)/',
        pathNot: '^src/$1/',
      },
    },
    {
      name: 'aws-and-github-are-leaves',
      severity: 'error',
      from: { path: '^src/(aws|github)/' },
      to: { path: '^src/(pipelines|registry|stacksets|endpoints|monitoring|deploy|cleanup|project)/' },
    },
    { name: 'actions-use-src-only', severity: 'error', from: { path: '^actions/' }, to: { path: '^(local|cli)/' } },
    { name: 'nothing-imports-cli', severity: 'error', from: { path: '^(actions|src|local)/' }, to: { path: '^cli/' } },
    { name: 'only-imports-that-exist', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: '^(actions|src|local|cli)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
