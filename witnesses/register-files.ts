// The registers of pairs as files in one folder. Each change of a register is a file of its own, written whole
// under another name, synced, and put in its place by link(), which succeeds for one writer only:
//
//   pair-K           K = 1, 2, ...: the id of the K-th pair that was founded here
//   gen-N.TAG        the N-th change of the register of one pair; TAG is made of the digits of its id
//   draft-*          a file on its way; removed by its writer, or later as left behind
//
// N counts the files and is consecutive, so that link() decides between two writers: skipping a number would
// let both land. The generation stands inside; it is larger than N once a lost register was replaced. The tag
// keeps pairs apart that share a folder: a late write of one can't land in the register of the other.
//
// Reading changes nothing and makes nothing: a folder that is not there, such as a share that is not mounted,
// must not turn into an empty one. Old files are removed once many newer ones are there.

import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { registerSchema } from '../shared/protocol/control-messages.ts'
import type { WriteBase } from '../shared/ports.ts'
import type { PairId, Register } from '../shared/protocol/register.ts'
import { makeFolder, namedError, syncFolder } from './folders.ts'

/** Files of a register that are kept, the newest: a few for people who look at what happened. */
const KEPT = 16
/** A draft that is older than this was left behind by a writer that ended. Milliseconds. */
const DRAFT_AGE_MS = 10 * 60 * 1000
const TAG_DIGITS = 12

export interface Found {
  readonly register: Register | undefined
  /** How many pairs were founded here. */
  readonly pairs: number
}

interface Listing {
  /** The newest file number of the pair; 0 if it has none. */
  readonly newest: number
  readonly old: readonly string[]
  readonly pairs: number
  readonly drafts: readonly string[]
}

/** The part of node:fs/promises that register files use: a test puts a disk behind it that loses what was not synced. */
export interface Files {
  readonly link: typeof link
  /** Resolves with the first folder that was made. */
  readonly mkdir: (path: string, options: { recursive: true }) => Promise<string | undefined>
  readonly open: (path: string, flags: 'wx' | 'r') => Promise<OpenFile>
  readonly readFile: (path: string, encoding: 'utf8') => Promise<string>
  readonly readdir: (path: string) => Promise<string[]>
  readonly stat: (path: string) => Promise<{ readonly mtimeMs: number }>
  readonly unlink: typeof unlink
}

interface OpenFile {
  writeFile(text: string): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Decimal digits, so that a listing sorted by number is sorted by age. */
export function tagOf(pair: PairId): string {
  const digits = (BigInt(`0x${pair}`) % 10n ** BigInt(TAG_DIGITS)).toString()
  return digits.padStart(TAG_DIGITS, '0')
}

export class RegisterFiles {
  readonly #folder: string
  readonly #files: Files

  constructor(
    folder: string,
    files: Files = { link, mkdir, open, readFile, readdir, stat, unlink },
  ) {
    this.#folder = folder
    this.#files = files
  }

  /**
   * The newest register of `pair`; with an empty `pair` the only one that there is. Rejects if the folder or a
   * file of it can't be read, with the path in the message.
   */
  async read(pair: PairId): Promise<Found> {
    try {
      return await this.#read(pair)
    } catch (error) {
      throw namedError(error, this.#folder, 'read')
    }
  }

  /**
   * Puts `next` behind the register `from`, or behind none; then its pair is the next one of the folder, after
   * as many as `from` says, or it is not written. Resolves with the register as it then is, once it is durable.
   * The same write again is no error, however far the one before came.
   */
  async write(from: WriteBase, next: Register): Promise<Register | undefined> {
    try {
      return await this.#write(from, next)
    } catch (error) {
      throw namedError(error, this.#folder, 'write')
    }
  }

  async #read(pair: PairId): Promise<Found> {
    const names = await this.#list()
    const pairs = names.filter((name) => /^pair-\d+$/.test(name))
    if (pair !== '') return { register: await this.#newest(pair), pairs: pairs.length }
    const [only] = pairs
    if (only === undefined || pairs.length > 1) return { register: undefined, pairs: pairs.length }
    return { register: await this.#newest(await this.#pairIn(only)), pairs: 1 }
  }

  async #write(from: WriteBase, next: Register): Promise<Register | undefined> {
    const founds = 'pairs' in from
    if (founds) await makeFolder(this.#folder, this.#files)
    const { newest, old, drafts } = await this.#look(next.pair)
    const current = newest === 0 ? undefined : await this.#parse(newest, next.pair)
    const isAgain = current?.nonce === next.nonce
    const isFree = current?.nonce === (founds ? undefined : from.nonce)
    const name = fileName(isAgain ? newest : newest + 1, next.pair)
    const isPut = isAgain || (isFree && (await this.#put(name, `${JSON.stringify(next)}\n`)))
    // The write that put it there may have failed before it was durable, or before the pair was founded.
    if (isAgain) await this.#sync()
    if (isPut && founds && !(await this.#found(`pair-${from.pairs + 1}`, next.pair))) {
      await this.#files.unlink(join(this.#folder, name))
      return undefined
    }
    if (isPut) await this.#clean(old, drafts)
    const after = await this.#newest(next.pair)
    // Of another writer, who may not have come to sync it.
    if (after !== undefined && (!isPut || after.nonce !== next.nonce)) await this.#sync()
    return after
  }

  /** True if the file says that it is this pair, by this call or by an earlier one. */
  async #found(name: string, pair: PairId): Promise<boolean> {
    if (await this.#put(name, `${pair}\n`)) return true
    await this.#sync()
    return (await this.#pairIn(name)) === pair
  }

  async #pairIn(name: string): Promise<PairId> {
    const file = join(this.#folder, name)
    const pair = (await this.#text(file)).trim()
    if (/^[0-9a-f]{32}$/.test(pair)) return pair
    throw new Error(`${file} holds no pair's id: bring the right file back`)
  }

  async #text(file: string): Promise<string> {
    try {
      return await this.#files.readFile(file, 'utf8')
    } catch (error) {
      // The system names no file if what it opened is a folder.
      throw Object.assign(error as Error, { path: file })
    }
  }

  async #newest(pair: PairId): Promise<Register | undefined> {
    const { newest } = await this.#look(pair)
    return newest === 0 ? undefined : this.#parse(newest, pair)
  }

  async #list(): Promise<readonly string[]> {
    try {
      return await this.#files.readdir(this.#folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  async #look(pair: PairId): Promise<Listing> {
    const names = await this.#list()
    const numbers: number[] = []
    const tag = tagOf(pair)
    for (const name of names) {
      const [, digits, its] = /^gen-(\d+)\.(\d+)$/.exec(name) ?? []
      if (digits !== undefined && its === tag) numbers.push(Number(digits))
    }
    const sorted = numbers.toSorted((a, b) => b - a)
    return {
      newest: sorted[0] ?? 0,
      old: sorted.slice(KEPT).map((number) => fileName(number, pair)),
      pairs: names.filter((name) => /^pair-\d+$/.test(name)).length,
      drafts: names.filter((name) => name.startsWith('draft-')),
    }
  }

  async #parse(number: number, pair: PairId): Promise<Register> {
    const file = join(this.#folder, fileName(number, pair))
    const text = await this.#text(file)
    try {
      return registerSchema.parse(JSON.parse(text))
    } catch (error) {
      throw new Error(
        `${file} is no register: bring the right file back, or remove the damaged one`,
        {
          cause: error,
        },
      )
    }
  }

  /** True if this call put it there; false if another writer was first. */
  async #put(name: string, text: string): Promise<boolean> {
    const draft = join(this.#folder, `draft-${randomUUID()}`)
    try {
      const file = await this.#files.open(draft, 'wx')
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#files.link(draft, join(this.#folder, name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      return false
    } finally {
      await this.#remove(draft)
    }
    await this.#sync()
    return true
  }

  async #sync(): Promise<void> {
    await syncFolder(this.#folder, this.#files)
  }

  /** Files that a newer register has made worthless. A failure here costs room and nothing else. */
  async #clean(old: readonly string[], drafts: readonly string[]): Promise<void> {
    for (const name of old) await this.#remove(join(this.#folder, name))
    for (const name of drafts) {
      const path = join(this.#folder, name)
      try {
        const { mtimeMs } = await this.#files.stat(path)
        if (Date.now() - mtimeMs > DRAFT_AGE_MS) await this.#remove(path)
      } catch {
        // Its writer has removed it.
      }
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#files.unlink(path)
    } catch {
      // It was never made, or somebody else has removed it.
    }
  }
}

function fileName(number: number, pair: PairId): string {
  return `gen-${number}.${tagOf(pair)}`
}
