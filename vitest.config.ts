import { defineConfig } from 'vitest/config';

// One project a kind of test (CONTRIBUTING.md, "Tests"): pure ones share threads, the others get processes of their own.
export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,test,sdk,web/src}/**/*.test.ts'],
          exclude: ['**/*.db.test.ts', '**/*.os.test.ts'],
          pool: 'threads',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'db',
          include: ['{src,test,sdk}/**/*.db.test.ts'],
          pool: 'forks',
          globalSetup: ['test/support/cluster.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'os',
          include: ['{src,test,sdk}/**/*.os.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/*.e2e.ts'],
          globalSetup: ['test/e2e/built-page.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/*.chaos.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
