// `--like-xen` against Xen's own verifier: its verdicts on the corpus as they were written down, and,
// where it can be had, its verdicts of today on streams that were damaged at random.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { XenVerifier } from '../../shared/formats/verify/xen-verdict.ts'
import type { XenForm } from '../../shared/formats/verify/xen-verdict.ts'
import type { XenVerdict } from '../../shared/formats/verify/xen-rules.ts'
import { encodeXlHeader } from '../../shared/formats/stream-headers.ts'
import { NO_CORPUS, corpusBytes, corpusFiles } from './corpus.ts'
import { mutate, randomFrom } from './mutate.ts'
import * as streams from './streams.ts'
import { xenVerifier } from './xen-verifier.ts'

const files = corpusFiles()
const live = xenVerifier()
const MUTANTS = 200

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

describe('the verdict of Xen', () => {
  it.skipIf(files.length === 0)(NO_CORPUS, () => {
    expect(files.length).toBeGreaterThan(100)
  })

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
    { timeout: 240_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'xen-verdict-'))
      const file = join(folder, 'stream')
      const messages = new Set<string>()
      try {
        for (let run = 0; run < MUTANTS; run++) {
          const random = randomFrom(7_000_000 + run)
          const [form, parts] = sources[run % sources.length]
          const once = mutate(parts, random)
          const bytes = random(2) === 0 ? once : mutate([once], random)
          writeFileSync(file, bytes)
          const { status, message } = live?.(file, form) ?? { status: null, message: '' }
          const due = { run, exit: status, message: status === 0 ? 'OK' : message }
          expect({ run, ...verdictOf(bytes, form, 1 + random(5000)) }).toEqual(due)
          messages.add(message.replaceAll(/0x[0-9a-f]+|\d+/g, 'N'))
        }
      } finally {
        rmSync(folder, { recursive: true })
      }
      // Else the damage was too tame to show anything.
      expect(messages.size).toBeGreaterThan(20)
    },
  )
})
