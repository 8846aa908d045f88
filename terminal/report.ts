// How a verb that failed ends: one line on stderr, and an exit code.

import { CommanderError } from 'commander'
import { CliError, EXIT_CODES, oneLine } from './exit-codes.ts'
import { sayAside } from './standard-streams.ts'

/** What a user is told of it. */
export function explain(error: unknown): string {
  const text = oneLine(error)
  if (!(error instanceof CommanderError)) return text
  if (error.code === 'commander.help') return 'give a verb: colo --help lists them'
  return `${text.replace(/^error: /, '')} (colo --help, or colo VERB --help)`
}

/** The exit code for what was thrown, after its one line was printed. */
export function report(error: unknown, words = explain(error)): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT_CODES.done.code
  if (process.env['COLO_DEBUG'] === '1') console.error(error)
  else sayAside(`colo: ${words}\n`)
  return error instanceof CliError ? EXIT_CODES[error.exit].code : EXIT_CODES.usage.code
}
