// A guest's module as it will run: read, judged, rewritten to keep a dirty log where that is wanted and can be,
// and compiled. A rewritten module is kept in a folder by the content of the original, so that a daemon that
// starts again need not rewrite it; what is found there is used only if it is what this rewriter has written.

import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { completeModule } from './dirty-log/complete-module.ts'
import { addDirtyLog, REWRITER_VERSION } from './dirty-log/rewrite.ts'
import { inspectModule, type ModuleFacts } from './abi/wasm-module.ts'
import { WebAssembly, type WasmModule } from '../../shared/memory/webassembly.ts'

/** How dirty pages are found: what `--dirty` takes. */
export const DIRTY_MODES = {
  auto: 'the log where the module can be rewritten, else the scan',
  log: 'a mark behind each store: the pause grows with the dirty pages only',
  scan: 'compares all of memory at each checkpoint: any module, and its stores as fast as ever',
  check: 'the log, and a scan behind it: a page that the log missed ends the guest',
} as const

/** For people: what a scheme does at each checkpoint. */
export const DIRTY_KERNELS = {
  log: 'log (a mark behind each store)',
  scan: 'scan (memcmp against the shadow)',
  check: 'check (the log, and a scan behind it)',
} as const

export type DirtyMode = keyof typeof DIRTY_MODES
export type DirtyScheme = keyof typeof DIRTY_KERNELS

/** A module that can't be protected: the message lists every reason. */
export class ModuleRefused extends Error {}

export interface GuestModule {
  readonly module: WasmModule
  readonly facts: ModuleFacts
  /** SHA-256 of the module as it runs: both sides must run the same. */
  readonly digest: string
  readonly scheme: DirtyScheme
  /** Why it is the scan, though a log was asked for where possible. */
  readonly whyScan?: string
  /** What the guest's memory is moved up by; 0 without a log. */
  readonly tableBytes: number
  /** Milliseconds; 0 without a log. */
  readonly rewriteMs: number
  /** A rewritten module that could not be kept; the next start rewrites it again. */
  readonly unkept?: UnkeptModule
}

export interface UnkeptModule {
  readonly file: string
  readonly content: Uint8Array
}

export interface GuestModuleOptions {
  readonly file: string
  /** The most that the guest may have. */
  readonly memoryBytes: number
  readonly dirty: DirtyMode
  /** Where rewritten modules are kept; made when it is needed. */
  readonly cache?: string
}

interface Logged {
  readonly bytes: Uint8Array
  readonly tableBytes: number
  readonly unkept?: UnkeptModule
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Throws ModuleRefused, or the error of reading or compiling the file. */
export function loadGuestModule(options: GuestModuleOptions): GuestModule {
  const { file, memoryBytes, dirty } = options
  const bytes = readFileSync(file)
  const facts = inspect(file, bytes, memoryBytes)
  if (dirty === 'scan') return scannedModule(bytes, facts, memoryBytes)
  const began = performance.now()
  const logged = withLog(options, bytes)
  if (!('refused' in logged)) {
    return {
      module: new WebAssembly.Module(logged.bytes),
      facts,
      digest: sha256(logged.bytes),
      scheme: dirty === 'check' ? 'check' : 'log',
      tableBytes: logged.tableBytes,
      rewriteMs: performance.now() - began,
      unkept: logged.unkept,
    }
  }
  if (dirty === 'auto') {
    return { ...scannedModule(bytes, facts, memoryBytes), whyScan: logged.refused }
  }
  const way = 'with --dirty scan or auto it runs as it is'
  throw new ModuleRefused(`${file} can't keep a dirty log: ${logged.refused}; ${way}`)
}

function scannedModule(bytes: Uint8Array, facts: ModuleFacts, memoryBytes: number): GuestModule {
  const complete = completeModule(bytes, memoryBytes)
  const module = new WebAssembly.Module(complete)
  return { module, facts, digest: sha256(complete), scheme: 'scan', tableBytes: 0, rewriteMs: 0 }
}

function inspect(file: string, bytes: Uint8Array, memoryBytes: number): ModuleFacts {
  if (!WebAssembly.validate(new Uint8Array(bytes))) {
    throw new ModuleRefused(`${file} is no valid WebAssembly module`)
  }
  const facts = inspectModule(bytes, memoryBytes)
  if (!('reasons' in facts)) return facts
  const list = facts.reasons.map((reason) => `  - ${reason}`).join('\n')
  throw new ModuleRefused(`${file} can't be protected:\n${list}\n(docs/guests.md has the contract)`)
}

function withLog(
  { memoryBytes, cache }: GuestModuleOptions,
  bytes: Uint8Array,
): Logged | { readonly refused: string } {
  const key =
    cache === undefined
      ? undefined
      : join(cache, `${sha256(bytes)}-${memoryBytes}-${REWRITER_VERSION}`)
  const kept = key === undefined ? undefined : read(key)
  if (kept !== undefined) return kept
  const rewritten = addDirtyLog(bytes, memoryBytes)
  if ('refused' in rewritten) return rewritten
  if (!WebAssembly.validate(rewritten.bytes)) {
    return { refused: 'this engine does not take the rewritten module' }
  }
  if (cache === undefined || key === undefined) return rewritten
  return { ...rewritten, unkept: keep(cache, key, rewritten) }
}

// A kept module lies behind a line that tells the size of its table and the digest of both.

function lineOf({ bytes, tableBytes }: Logged): Buffer {
  const digest = createHash('sha256').update(`${tableBytes}\n`).update(bytes).digest('hex')
  return Buffer.from(`${digest} ${tableBytes}`)
}

function read(key: string): Logged | undefined {
  try {
    const kept = readFileSync(key)
    const line = kept.subarray(0, kept.indexOf('\n'))
    const bytes = kept.subarray(line.length + 1)
    const logged = { bytes, tableBytes: Number(line.toString().split(' ')[1]) }
    return line.equals(lineOf(logged)) ? logged : undefined
  } catch {
    return undefined
  }
}

/** Gives what could not be written: that costs a rewrite at the next start, and nothing else. */
function keep(cache: string, key: string, logged: Logged): UnkeptModule | undefined {
  const content = Buffer.concat([lineOf(logged), Buffer.from('\n'), logged.bytes])
  // No pid: in containers that share the folder both are 1.
  const draft = `${key}.${randomUUID()}`
  try {
    mkdirSync(cache, { recursive: true })
    writeFileSync(draft, content)
    renameSync(draft, key)
    return undefined
  } catch {
    remove(draft)
    return { file: key, content }
  }
}

function remove(draft: string): void {
  try {
    rmSync(draft, { force: true })
  } catch {
    // The folder cannot be used at all; the caller is told.
  }
}
