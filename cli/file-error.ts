// What is said of a file that could not be opened, read or written, by every verb in the same words.

import { CliError, oneLine } from './exit-codes.ts'

/** The file first, then the system's reason, which may name the file once more. */
export function fileError(path: string, error: unknown): CliError {
  if (error instanceof CliError) return error
  const reason = oneLine(error).replace(/ '[^']*'( -> '[^']*')?$/, '')
  return new CliError('usage', `${path === '' ? "''" : path}: ${reason}`, { cause: error })
}
