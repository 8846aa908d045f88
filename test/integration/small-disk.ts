// A disk that can be filled: a tmpfs of a few KiB, which only root can mount.

import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const BLOCK_BYTES = 4096

function mount(folder: string, kib: number): boolean {
  const options = ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', folder]
  return spawnSync('mount', options).status === 0
}

export class SmallDisk {
  readonly path = mkdtempSync(join(tmpdir(), 'colo-disk-'))

  constructor(kib = 256) {
    if (!mount(this.path, kib)) throw new Error(`${this.path}: no tmpfs can be mounted`)
  }

  /** Nothing fits any more: not into a new file, and not at the end of these. */
  fill(...files: readonly string[]): void {
    const block = Buffer.alloc(BLOCK_BYTES, 'x')
    append(this.#filler, block)
    for (const file of files) append(file, block.subarray(0, 1))
  }

  /** There is room again. */
  free(): void {
    rmSync(this.#filler)
  }

  dispose(): void {
    spawnSync('umount', ['-l', this.path])
    rmdirSync(this.path)
  }

  get #filler(): string {
    return join(this.path, 'filler')
  }
}

/** Until the disk takes no more. */
function append(file: string, bytes: Uint8Array): void {
  const handle = openSync(file, 'a')
  try {
    for (;;) writeSync(handle, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(handle)
  }
}

/** False: this user cannot mount. */
export const canMount = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'colo-disk-'))
  const mounted = mount(folder, 64)
  if (mounted) spawnSync('umount', [folder])
  rmdirSync(folder)
  return mounted
})()
