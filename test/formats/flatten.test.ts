// The flat form: one image a checkpoint, cut at the last whole one, readable by our reader and,
// where it can be had, by Xen's own verifier.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Flattener } from '../../formats/xen/flatten.ts'
import type { Flattened } from '../../formats/xen/flatten.ts'
import { fixedRecords } from '../../formats/xen/record-encoder.ts'
import { readAll } from './read-all.ts'
import * as streams from './streams.ts'
import { xenVerifier } from './xen-verifier.ts'

const verify = xenVerifier()

function flatten(recording: Uint8Array): { flat: Uint8Array; told: Flattened } {
  const { reader } = readAll([recording], { form: 'libxl' })
  const parts: Uint8Array[] = []
  const flattener = new Flattener((bytes) => parts.push(bytes.slice()), {
    endBytes: reader.checkpointEndBytes,
  })
  for (let at = 0; at < recording.length; at += 999)
    flattener.push(recording.subarray(at, at + 999))
  return { told: flattener.finish(), flat: streams.join(parts) }
}

function namesOf(flat: Uint8Array): string {
  const { heard, error, outcome } = readAll([flat], { form: 'libxl', checkpointed: 'none' })
  expect([outcome, error?.message]).toEqual(['complete', undefined])
  const names = heard.map((line) => {
    if (line.startsWith('{')) return 'header'
    return / lib\w+ (\w+) at/.exec(line)?.[1] ?? 'PAGE_DATA'
  })
  return names.join(' ')
}

const image =
  'LIBXC_CONTEXT header header X86_CPUID_POLICY X86_MSR_POLICY STATIC_DATA_END ' +
  'PAGE_DATA PAGE_DATA X86_TSC_INFO HVM_CONTEXT HVM_PARAMS END EMULATOR_CONTEXT CHECKPOINT_END'

describe('Flattener', () => {
  it('makes an image of each COLO checkpoint, and keeps NEW between them', () => {
    const { flat, told } = flatten(streams.join(streams.checkpointedStream('colo', 3)))
    expect(told).toEqual({ checkpoints: 3, droppedXenstore: 3, droppedBytes: 0 })
    const again = `CHECKPOINT_STATE ${image}`
    expect(namesOf(flat)).toBe(`header ${image} ${again} ${again} END`)
  })

  it('keeps every page byte', () => {
    const recording = streams.join(streams.checkpointedStream('colo', 2))
    const { flat } = flatten(recording)
    expect(readAll([flat], { form: 'libxl' }).pages).toEqual(
      readAll([recording], { form: 'libxl' }).pages,
    )
  })

  it('makes an image of each Remus checkpoint', () => {
    const { flat, told } = flatten(streams.join(streams.checkpointedStream('remus', 2)))
    expect(told.checkpoints).toBe(2)
    expect(namesOf(flat)).toBe(`header ${image} ${image} END`)
  })

  it('drops what lies behind the last whole checkpoint', () => {
    const whole = streams.join(streams.checkpointedStream('colo', 2))
    const half = streams.join([whole, fixedRecords.NEW, streams.tscInfo.subarray(0, 20)])
    const { flat, told } = flatten(half)
    expect(told.droppedBytes).toBe(16 + 20)
    expect(flat).toEqual(flatten(whole).flat)
  })

  it('has nothing to show for a recording without a whole checkpoint', () => {
    const parts = streams.checkpointedStream('colo', 1).slice(0, -1)
    const { flat, told } = flatten(streams.join(parts))
    expect(told).toMatchObject({ checkpoints: 0, droppedBytes: streams.join(parts).length })
    expect(namesOf(flat)).toBe('header END')
  })

  it.skipIf(verify === undefined)(
    "passes Xen's verify-stream-v2 (needs python3 and Debian's xen-utils)",
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'flat-'))
      const file = join(folder, 'stream')
      writeFileSync(file, flatten(streams.join(streams.checkpointedStream('colo', 3))).flat)
      expect(verify?.(file)).toEqual({ status: 0, message: '' })
      rmSync(folder, { recursive: true })
    },
  )
})
