// Two projects: what starts real daemons runs one file at a time, because deadlines of a few milliseconds mean
// nothing on cores that other tests burn; all else runs in parallel.
import { defineConfig } from 'vitest/config'
// Tests of the command run what users run, and not what was bundled of older sources.
import './bundle.mjs'

const withDaemons = ['test/integration/**/*.test.ts', 'test/cli/pairs/**/*.test.ts']

export default defineConfig({
  test: {
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
