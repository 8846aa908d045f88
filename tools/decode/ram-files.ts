// Images of a guest's memory as files, one a block, in one folder. Pages that come one after the other are written
// together; a page that is all zero is left out of the file unless something else was there before, so the files
// are sparse and as long as their blocks.

import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { RamBlock } from '../../formats/qemu/stream/migration-sink.ts'
import type { RamStore } from '../../formats/qemu/stream/ram-image.ts'

const RUN_BYTES = 256 * 1024
/** The granularity in which it is remembered what was written: the smallest page of any target. */
const GRAIN_BYTES = 1024
const PART_GRAINS = 32 * 1024

interface ImageFile {
  readonly fd: number
  readonly path: string
  readonly written: Places
}

/** Which grains of a file were written. It takes memory for what was, not for how long the file may be. */
class Places {
  readonly #parts = new Map<number, Uint8Array>()

  has(address: number): boolean {
    const grain = Math.floor(address / GRAIN_BYTES)
    const part = this.#parts.get(Math.floor(grain / PART_GRAINS))
    if (part === undefined) return false
    const place = grain % PART_GRAINS
    return (part[place >>> 3] & (1 << (place & 7))) !== 0
  }

  add(address: number): void {
    const grain = Math.floor(address / GRAIN_BYTES)
    const number = Math.floor(grain / PART_GRAINS)
    let part = this.#parts.get(number)
    if (part === undefined) {
      part = new Uint8Array(PART_GRAINS / 8)
      this.#parts.set(number, part)
    }
    const place = grain % PART_GRAINS
    part[place >>> 3] |= 1 << (place & 7)
  }
}

/** One part of a path: whatever is no plain character as % and two digits, and never `.` or `..`. */
function partOf(name: string): string {
  const part = name.replaceAll(/[^\w.:@+-]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
  return /^\.+$/.test(part) ? part.replaceAll('.', '%2E') : part
}

/** Where a block's image lies below the folder: `0000:00:02.0/vga.vram` in a folder of its device. */
export function pathOf(block: string): string {
  const parts = block.split('/').filter((part) => part !== '')
  return parts.length === 0 ? 'block' : join(...parts.map((part) => partOf(part)))
}

/** With those above it. Node's own way never returns where a folder can be made by nobody, as in /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  const above = dirname(folder)
  if (above !== folder) makeFolder(above)
  mkdirSync(folder)
}

export class RamFiles implements RamStore {
  readonly #folder: string
  readonly #files = new Map<string, ImageFile>()
  readonly #run = new Uint8Array(RUN_BYTES)
  #runFile: ImageFile | undefined
  #runAt = 0
  #runLength = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The path of each block's file, by the block's name. */
  get paths(): ReadonlyMap<string, string> {
    return new Map([...this.#files].map(([name, { path }]) => [name, path]))
  }

  open({ name, usedBytes }: RamBlock): void {
    if (this.#files.has(name)) return
    const path = this.#free(pathOf(name))
    makeFolder(dirname(path))
    const fd = openSync(path, 'w+')
    ftruncateSync(fd, usedBytes)
    this.#files.set(name, { fd, path, written: new Places() })
  }

  /** Two names can give one path (`/a` and `a`): the second gets a number. */
  #free(below: string): string {
    const taken = new Set([...this.#files.values()].map(({ path }) => path))
    const first = join(this.#folder, below)
    for (let n = 2, path = first; ; n++) {
      if (!taken.has(path)) return path
      path = `${first}~${n}`
    }
  }

  write({ name }: RamBlock, address: number, bytes: Uint8Array): void {
    const file = this.#file(name)
    const isNext = file === this.#runFile && address === this.#runAt + this.#runLength
    if (!isNext || this.#runLength + bytes.length > RUN_BYTES) this.#begin(file, address)
    this.#run.set(bytes, this.#runLength)
    this.#runLength += bytes.length
    file.written.add(address)
  }

  fill(block: RamBlock, address: number, length: number, value: number): void {
    const { written } = this.#file(block.name)
    const wasWritten = written.has(address)
    if (value !== 0 || wasWritten) this.write(block, address, new Uint8Array(length).fill(value))
  }

  read({ name }: RamBlock, address: number, into: Uint8Array): void {
    this.#flush()
    into.fill(0)
    const { fd } = this.#file(name)
    for (let at = 0; at < into.length;) {
      const got = readSync(fd, into, at, into.length - at, address + at)
      if (got === 0) return
      at += got
    }
  }

  close(): void {
    this.#flush()
    for (const { fd } of this.#files.values()) closeSync(fd)
  }

  #file(name: string): ImageFile {
    const file = this.#files.get(name)
    if (file === undefined) throw new Error(`the block ${name} was not opened`)
    return file
  }

  #begin(file: ImageFile, address: number): void {
    this.#flush()
    this.#runFile = file
    this.#runAt = address
  }

  #flush(): void {
    const { fd } = this.#runFile ?? { fd: -1 }
    for (let at = 0; at < this.#runLength;) {
      at += writeSync(fd, this.#run, at, this.#runLength - at, this.#runAt + at)
    }
    this.#runLength = 0
    this.#runFile = undefined
  }
}
