// A small file that is written as a whole: under another name first, then renamed into its place, so that a reader
// never finds half of it. A draft that could not be finished is removed.

import { open, rename, rm } from 'node:fs/promises'

/** Rejects with the error of the system; the file is then what it was. `sync`: it is on the disk when this is done. */
export async function writeWholeFile(
  path: string,
  content: string | Uint8Array,
  { sync = false, mode = 0o666 } = {},
): Promise<void> {
  const draft = `${path}.draft`
  try {
    const file = await open(draft, 'w', mode)
    try {
      await file.writeFile(content)
      if (sync) await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw error
  }
}
