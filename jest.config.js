'use strict';

/** @type {import('jest').Config} */
module.exports = {
  // Of two processors, jest would leave one idle.
  maxWorkers: '100%',
  testEnvironment: 'node',
  // Tests read the TypeScript, not dist/: the condition is declared in every package's exports.
  testEnvironmentOptions: { customExportConditions: ['@peercert/source', 'require', 'node', 'default'] },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript', decorators: true } },
        module: { type: 'commonjs' },
      },
    ],
  },
};
