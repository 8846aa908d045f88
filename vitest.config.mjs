// Two projects: what starts real daemons runs one file at a time, because deadlines of a few milliseconds mean
// nothing on cores that other tests burn; all else runs in parallel.
import { defineConfig } from 'vitest/config'

const withDaemons = ['test/integration/**/*.test.ts', 'test/cli/pairs/**/*.test.ts']

export default defineConfig({
  test: {
    globalSetup: 'test/compile-first.mjs',
    projects: [
      {
        test: {
          name: 'core',
          include: ['test/**/*.test.ts'],
          exclude: withDaemons,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'daemons',
          include: withDaemons,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
