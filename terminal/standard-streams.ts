// What verbs say, to file descriptors. Making process.stdout takes longer than reading most streams; and an error of
// writing is known at once here, not when the verb is over and its exit code was given.

import { EXIT_CODES } from './exit-codes.ts'
import { fileError } from './file-error.ts'
import { plainText } from './plain-text.ts'
import { writeWhole } from './whole-write.ts'

const STDOUT = 1

/** Writes to standard output. Raises CliError, unless whoever read has heard enough (`colo verify x | head -1`). */
export function sayBytes(bytes: Uint8Array): void {
  try {
    writeWhole(STDOUT, bytes)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPIPE') throw fileError('-', error, 'write')
  }
}

export function say(text: string): void {
  sayBytes(Buffer.from(plainText(text)))
}

const passOver = () => {}

/** Writes to standard error. Where that cannot be, there is nobody to tell. */
export function sayAside(text: string): void {
  if (!process.stderr.listeners('error').includes(passOver)) process.stderr.on('error', passOver)
  try {
    process.stderr.write(plainText(text))
  } catch {
    // A file says so at once.
  }
}

/**
 * For a command whose end would be the end of daemons: what cannot be written is left out, and the command goes on.
 * Gives what makes an error count again.
 */
export function outliveOutput(): () => void {
  process.stdout.removeAllListeners('error').on('error', passOver)
  if (!process.stderr.listeners('error').includes(passOver)) process.stderr.on('error', passOver)
  return () => {
    process.stdout.off('error', passOver)
    watchStandardOutput()
  }
}

/** For what does write to process.stdout: the same, when it comes to be known. */
export function watchStandardOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    sayAside(`colo: ${fileError('-', error, 'write').message}\n`)
    process.exit(EXIT_CODES.usage.code)
  })
}
