// Two projects: what computes runs in parallel; what starts real daemons runs one file at a time, because
// deadlines of a few milliseconds mean nothing on cores that other tests burn.
import { defineConfig } from 'vitest/config'
// Tests of the command run what users run, and not what was bundled of older sources.
import './bundle.mjs'

const realProcesses = [
  'test/integration/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/ber/processes/**/*.test.ts',
  'test/package/processes/**/*.test.ts',
  'test/qemu/processes/**/*.test.ts',
]

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'core',
          include: ['test/**/*.test.ts'],
          exclude: realProcesses,
          testTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'processes',
          include: realProcesses,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
