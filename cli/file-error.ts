// What is said of a file that could not be opened, read or written, by every verb in the same words: which file, why,
// and the way out where there is one. The system's own sentence names a call of the C library, which helps nobody; its
// code stays, since that is what one looks up.

import { CliError, oneLine } from './exit-codes.ts'

/** What was to be done with the file: the same code has another way out. */
export type FileUse = 'read' | 'write'

type Words = string | Readonly<Record<FileUse, string>>

const REASONS: Readonly<Record<string, Words>> = {
  ENOENT: {
    read: 'there is no such file',
    write: 'the folder that it is to lie in is not there: make it first',
  },
  EISDIR: 'it is a folder: name a file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a file is there already, where a folder is wanted: name another place',
  EACCES: {
    read: 'this user may not read it: change its permissions, or read it as its owner',
    write: 'this user may not write there: name another place, or change the permissions',
  },
  EPERM: 'the system does not permit it, whoever asks',
  EROFS: 'its file system can only be read: name another place',
  ENOSPC: 'no space left there: free some, or name another place',
  EDQUOT: 'the quota of this user is used up: free some, or name another place',
  EFBIG: 'it became longer than its file system, or `ulimit -f`, allows',
  ENAMETOOLONG: 'the name is longer than file systems allow',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many files are open: raise `ulimit -n`',
  ENFILE: 'too many files are open on this machine',
  ENXIO: 'nothing is behind it: a socket, or a device that is not there',
  EIO: 'its device failed to give or take the bytes',
  EPIPE: 'whoever read it has closed it',
  EINVAL: 'it is not of a kind that can be used so',
}

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
  const words = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined
  const name = nameOf(path, use)
  const options = { cause: error }
  if (words === undefined) return new CliError('usage', `${name}: ${oneLine(error)}`, options)
  const isMissing = code === 'ENOENT'
  let reason = typeof words === 'string' ? words : words[use]
  if (isMissing && syscall === 'mkdir') reason = 'no folder can be made there: name another place'
  if (isMissing && path.includes(NOT_UTF8)) {
    reason = 'a name that is not UTF-8 cannot be given: give - and redirect'
  }
  return new CliError('usage', `${name}: ${reason} (${code})`, options)
}
