// The streams of real QEMUs that lie beside the checkout, unpacked when a test wants one. Where they are not
// there, the lists are empty and tests that need them say so.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CORPUS = fileURLToPath(new URL('../../../shared/corpus', import.meta.url))
const UNPACKED_MAX = 64 * 1024 * 1024

export const CORPUS_MISSING =
  '../shared/corpus is not there: the streams of real QEMUs are not read'

export function unpack(file: string): Uint8Array {
  const run = spawnSync('xz', ['-dc', file], { maxBuffer: UNPACKED_MAX })
  if (run.status !== 0) throw new Error(`xz -dc ${file}: ${String(run.stderr)}`)
  return new Uint8Array(run.stdout)
}

function namesIn(folder: string, ending: string): string[] {
  const path = join(CORPUS, folder)
  if (!existsSync(path)) return []
  const files = readdirSync(path).filter((name) => name.endsWith(ending))
  return files.map((name) => name.slice(0, -ending.length))
}

export const STREAM_NAMES: readonly string[] = namesIn('qemu-streams', '.mig.xz')
export const CAPTURE_NAMES: readonly string[] = namesIn('qemu-colo', '.P.bin.xz')

export const streamBytes = (name: string) => unpack(join(CORPUS, 'qemu-streams', `${name}.mig.xz`))
export const captureBytes = (name: string) => unpack(join(CORPUS, 'qemu-colo', `${name}.P.bin.xz`))

export function captureText(name: string): string {
  return readFileSync(join(CORPUS, 'qemu-colo', `${name}.parse.txt`), 'utf8')
}

/** A reference output beside a stream (`desc.json`, `state.json`), or undefined where the reference failed. */
export function referenceOutput(name: string, what: string): Uint8Array | undefined {
  const file = join(CORPUS, 'qemu-streams', `${name}.${what}.xz`)
  return existsSync(file) ? unpack(file) : undefined
}

/** A page channel of a multifd stream. */
export const channelBytes = (name: string, channel: number) =>
  unpack(join(CORPUS, 'qemu-streams', `${name}.mig.ch${channel}.xz`))
