// Runs all checks and ends with one plain line, `N passed, N failed`: the linter and the format check count as
// one each, then vitest's two projects one after the other. What was not run, and why, is listed before it.
// `npm test -- --all` adds the long tests. Other arguments are given on to vitest, so that `npm test -- formats` runs
// a part.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { askForLongTests } from './long-tests.ts'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

interface VitestResults {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly numFailedTestSuites: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const notRun: string[] = []

function check(what: string, command: string, args: readonly string[]): void {
  const { status } = spawnSync(join('node_modules', '.bin', command), args, { stdio: 'inherit' })
  if (status === 0) total.passed++
  else {
    total.failed++
    console.log(`FAILED: ${what}`)
  }
}

function vitest(project: string, args: readonly string[]): void {
  const results = join('dist', `test-results-${project}.json`)
  rmSync(results, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile=${results}`]
  const { status } = spawnSync(
    join('node_modules', '.bin', 'vitest'),
    ['run', '--project', project, '--passWithNoTests', ...reporters, ...args],
    { stdio: 'inherit' },
  )
  if (!existsSync(results)) {
    if (status !== 0) total.failed++
    return
  }
  const found = JSON.parse(readFileSync(results, 'utf8')) as VitestResults
  total.passed += found.numPassedTests
  total.failed += found.numFailedTests
  total.skipped += found.numPendingTests + found.numTodoTests
  for (const file of found.testResults) {
    // A file that could not be loaded has no tests to count, and is no success.
    if (file.status === 'failed' && file.assertionResults.length === 0) total.failed++
    for (const one of file.assertionResults) {
      if (one.status === 'pending' || one.status === 'skipped') notRun.push(one.fullName)
    }
  }
  if (status !== 0 && total.failed === 0) total.failed++
}

const given = process.argv.slice(2)
const args = given.filter((argument) => argument !== '--all')
if (args.length < given.length) askForLongTests(process.env)
if (args.length === 0) {
  check('the linter', 'oxlint', ['--type-aware', '--deny-warnings'])
  check('the format check (npx oxfmt mends it)', 'oxfmt', ['--check', '.'])
}
vitest('core', args)
vitest('daemons', args)

for (const name of notRun) console.log(`not run: ${name}`)
if (total.skipped > 0) console.log(`not run: ${total.skipped} in all`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)
