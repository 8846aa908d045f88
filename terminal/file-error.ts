// What is said of a file that could not be opened, read or written, by every verb in the same words: which file, why,
// and the way out where there is one.

import { reasonOf, type FileUse } from './file-reasons.ts'
import { CliError, oneLine } from './exit-codes.ts'

/** Node gives a name's bytes that are no UTF-8 as this character. */
const NOT_UTF8 = '\uFFFD'

function nameOf(path: string, use: FileUse): string {
  if (path === '-') return use === 'read' ? 'standard input' : 'standard output'
  return path === '' ? "''" : path
}

/** Of `path`, where `-` is standard input or output. */
export function fileError(path: string, error: unknown, use: FileUse = 'read'): CliError {
  if (error instanceof CliError) return error
  const { code = '', syscall } = error as NodeJS.ErrnoException
  const known = reasonOf(code, use)
  const name = nameOf(path, use)
  const options = { cause: error }
  if (known === undefined) return new CliError('usage', `${name}: ${oneLine(error)}`, options)
  const isMissing = code === 'ENOENT'
  let reason = known
  if (isMissing && syscall === 'mkdir') reason = 'no folder can be made there: name another place'
  if (isMissing && path.includes(NOT_UTF8)) {
    reason = 'a name that is not UTF-8 cannot be given: give - and redirect'
  }
  return new CliError('usage', `${name}: ${reason} (${code})`, options)
}
