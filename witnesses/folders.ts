// What both kinds of registers on a disk share: a name in a folder, and a folder itself, lasts through a power cut
// only once the folder that it lies in was synced; and an error of the system names the file or folder.

import type { mkdir, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { describeFileError, type FileUse } from '../terminal/file-reasons.ts'

export interface Folders {
  readonly mkdir: (path: string, options: { recursive: true }) => ReturnType<typeof mkdir>
  readonly open: (path: string, flags: 'r') => Promise<Pick<Handle, 'sync' | 'close'>>
}

type Handle = Awaited<ReturnType<typeof open>>

/** What was put into the folder is there after a power cut. */
export async function syncFolder(path: string, folders: Folders): Promise<void> {
  const folder = await folders.open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Makes the folder and those above it; they are there after a power cut. */
export async function makeFolder(path: string, folders: Folders): Promise<void> {
  const made = await folders.mkdir(path, { recursive: true })
  const first = resolve(made ?? path)
  for (let above = dirname(resolve(path)); ; above = dirname(above)) {
    try {
      await syncFolder(above, folders)
    } catch (error) {
      // One that was there before may lie in a folder that this user can't read.
      if (made !== undefined) throw error
    }
    if (above === dirname(first)) return
  }
}

/** An error of the system in the words of this project; any other as it is. */
export function namedError(error: unknown, folder: string, use: FileUse): unknown {
  const { code, path = folder } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  // The name of a draft helps nobody, and with it each attempt would be told of as a new trouble.
  const shown = path.includes('draft') ? folder : path
  return new Error(describeFileError(shown, error, use), { cause: error })
}
