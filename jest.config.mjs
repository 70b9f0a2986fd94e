// Tests run as ES modules on the Node 24 of node_modules; @swc/jest only strips the types.
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024', experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/.sagemaker-mlops/', '<rootDir>/dist/', '<rootDir>/build/'],
  // Files that only the full run takes (TEST_FULL is set by `npm run test:full`).
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.TEST_FULL === undefined ? ['\\.full\\.test\\.ts$'] : [])],
  maxWorkers: 2,
  testTimeout: 60_000,
};
