// Why a file could not be opened, read or written, and the way out, by the code of the system's error. The commands
// and the daemons say the same words. The system's own sentence names a call of the C library, which helps nobody;
// its code stays in the message, since that is what one looks up.

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
  EIO: 'its device failed to give or take the bytes: look at the disk',
  EPIPE: 'whoever read it has closed it',
  EINVAL: 'it is not of a kind that can be used so',
}

/** The reason and the way out, without the code; undefined for a code that is not in the table. */
export function reasonOf(code: string, use: FileUse): string | undefined {
  const words = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined
  return typeof words === 'string' ? words : words?.[use]
}

/** `PATH: reason and way out (CODE)`, or the error's own message where the code is not in the table. */
export function describeFileError(path: string, error: unknown, use: FileUse): string {
  const { code = '' } = error as NodeJS.ErrnoException
  const reason = reasonOf(code, use)
  const message = error instanceof Error ? error.message : String(error)
  return reason === undefined ? `${path}: ${message}` : `${path}: ${reason} (${code})`
}
