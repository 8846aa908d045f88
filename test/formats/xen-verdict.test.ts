// `--like-xen` against Xen's own verifier: its verdicts on the corpus as they were written down, and,
// where it can be had, its verdicts of today on streams that were damaged at random.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { XenVerifier } from '../../formats/xen/verify/xen-verdict.ts'
import type { XenForm } from '../../formats/xen/verify/xen-verdict.ts'
import type { XenVerdict } from '../../formats/xen/verify/xen-rules.ts'
import { encodeXlHeader } from '../../formats/xen/stream-headers.ts'
import { corpusBytes, corpusFiles } from './corpus.ts'
import { mutate, randomFrom } from './mutate.ts'
import * as streams from './streams.ts'
import { xenVerifier } from './xen-verifier.ts'

const files = corpusFiles()
const live = xenVerifier()
/** How many streams are damaged; a long run sets COLO_LIVE_MUTANTS. */
const MUTANTS = Number(process.env['COLO_LIVE_MUTANTS'] ?? 200)

function verdictOf(bytes: Uint8Array, form: XenForm, piece: number): XenVerdict {
  const verifier = new XenVerifier(form)
  for (let at = 0; at < bytes.length; at += piece) {
    verifier.push(bytes, at, Math.min(bytes.length, at + piece))
  }
  return verifier.finish()
}

/** What it reads without a complaint: no payload of xenstore, no checkpoints. */
const plain = streams.plainStream().filter((part) => part !== streams.xenstoreData)
const sources: readonly (readonly [XenForm, readonly Uint8Array[]])[] = [
  ['libxl', plain],
  ['libxl', streams.pvStream()],
  ['libxc', plain.slice(2, -2)],
  ['libxc', streams.pvStream().slice(2, -1)],
  ['xl', [encodeXlHeader(), ...plain]],
]

function damaged(run: number): { form: XenForm; bytes: Uint8Array; piece: number } {
  const random = randomFrom(7_000_000 + run)
  const [form, parts] = sources[run % sources.length]
  const once = mutate(parts, random)
  const bytes = random(2) === 0 ? once : mutate([once], random)
  return { form, bytes, piece: 1 + random(5000) }
}

describe('the verdict of Xen', () => {
  it.skipIf(files.length === 0)(
    'is here (../shared/corpus: without it only our own streams are read)',
    () => {
      expect(files.length).toBeGreaterThan(100)
    },
  )

  it.each(files)('$file: $exit $message', (file) => {
    const bytes = corpusBytes(file)
    const due = { exit: file.exit, message: file.message }
    for (const piece of [Infinity, 1, 13]) {
      expect(verdictOf(bytes, file.format, piece)).toEqual(due)
    }
  })

  it.each(sources)('a %s stream of ours is good to it', (form, parts) => {
    expect(verdictOf(streams.join(parts), form, Infinity)).toEqual({ exit: 0, message: 'OK' })
  })

  it.skipIf(live === undefined)(
    `is the same as verify-stream-v2's own on ${MUTANTS} damaged streams (needs python3 and Debian's xen-utils)`,
    { timeout: 120_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'xen-verdict-'))
      const mutants = Array.from({ length: MUTANTS }, (_, run) => damaged(run))
      const inputs = mutants.map(({ form, bytes }, run) => {
        const file = join(folder, String(run))
        writeFileSync(file, bytes)
        return { file, format: form }
      })
      const verdicts = live?.many(inputs) ?? []
      rmSync(folder, { recursive: true })
      const messages = new Set<string>()
      for (const [run, { form, bytes, piece }] of mutants.entries()) {
        const { status, message } = verdicts[run] ?? { status: null, message: '' }
        const due = { run, exit: status, message: status === 0 ? 'OK' : message }
        expect({ run, ...verdictOf(bytes, form, piece) }).toEqual(due)
        messages.add(message.replaceAll(/0x[0-9a-f]+|\d+/g, 'N'))
      }
      // Else the damage was too tame to show anything.
      expect(messages.size).toBeGreaterThan(20)
    },
  )
})
