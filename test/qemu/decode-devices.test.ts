// Devices of the corpus through their descriptions: what QEMU's own script prints, byte for byte; checkpoints of
// COLO with the figures of an independent parser; differences, places, and descriptions from another stream.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { compatDescription, compatState } from '../../tools/decode/compat.ts'
import { descriptionOf, finderFor } from '../../tools/decode/descriptions.ts'
import { DeviceStates } from '../../tools/decode/device-states.ts'
import { Summary } from '../../tools/decode/summary.ts'
import { TextOutput } from '../../tools/decode/text-output.ts'
import { walk } from '../../tools/decode/walk.ts'
import { quickDescription } from '../../formats/qemu/description/vmdesc-quick.ts'
import { readVmDescription } from '../../formats/qemu/description/vmdesc.ts'
import {
  CAPTURE_NAMES,
  captureBytes,
  captureText,
  CORPUS_MISSING,
  referenceOutput,
  STREAM_NAMES,
  streamBytes,
} from './corpus.ts'

const folder = mkdtempSync(join(tmpdir(), 'colo-decode-devices-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

async function statesOf(name: string): Promise<DeviceStates> {
  const states = new DeviceStates()
  const { error } = await walk(fileOf(name, streamBytes(name)), states)
  expect(error).toBeUndefined()
  states.finish()
  return states
}

const withOutput = (what: string) =>
  STREAM_NAMES.filter((name) => referenceOutput(name, what) !== undefined)

describe(`what analyze-migration.py prints (else ${CORPUS_MISSING})`, () => {
  it.skipIf(STREAM_NAMES.length === 0)('is there for many streams', () => {
    expect(withOutput('desc.json').length).toBeGreaterThanOrEqual(17)
    expect(withOutput('state.json').length).toBeGreaterThanOrEqual(10)
  })

  it.each(withOutput('desc.json'))('-d desc of %s', async (name) => {
    const { json } = await statesOf(name)
    const theirs = Buffer.from(referenceOutput(name, 'desc.json') ?? []).toString()
    expect(compatDescription(json ?? new Uint8Array()) === theirs).toBe(true)
  })

  it.each(withOutput('state.json'))('-d state of %s', async (name) => {
    const states = await statesOf(name)
    const out = new TextOutput(true)
    const missing: string[] = []
    const find = await finderFor(states, undefined)
    compatState(states, find, out, ({ head }, reason) => missing.push(`${head.idstr}: ${reason}`))
    expect(missing).toEqual([])
    const theirs = Buffer.from(referenceOutput(name, 'state.json') ?? []).toString()
    expect(out.text === theirs).toBe(true)
  })
})

describe.skipIf(CAPTURE_NAMES.length === 0)('COLO sessions', () => {
  it.each(CAPTURE_NAMES)(
    '%s has the checkpoints that an independent parser found',
    async (name) => {
      const summary = new Summary()
      const { error } = await walk(fileOf(name, captureBytes(name)), summary)
      expect(error).toBeUndefined()
      summary.finish()
      const text = captureText(name)
      const ends = [...text.matchAll(/^0x\w+ END ram sid=\d+ pages=(\d+) zero=(\d+)/gm)].slice(1)
      const heads = [...text.matchAll(/^(0x\w+) CHECKPOINT #(\d+) total=\d+ device_state=(\d+)/gm)]
      expect(heads.length).toBe(ends.length)
      const theirs = heads.map(([, offset, number, deviceBytes], i) => {
        const [full, zero] = [ends[i]?.[1], ends[i]?.[2]].map(Number)
        return {
          number: Number(number),
          offset: Number(offset),
          full,
          zero,
          deviceBytes: Number(deviceBytes),
        }
      })
      // The parser prints the first dozen; the count of all is on a line of its own.
      const count = Number(/checkpoints (\d+)/.exec(text)?.[1])
      expect(summary.checkpoints.length).toBe(count)
      const ours = summary.checkpoints.map(({ number, offset, full, zero, deviceBytes }) => {
        return { number, offset, full, zero, deviceBytes }
      })
      expect(ours.slice(0, theirs.length)).toEqual(theirs)
      expect(summary.checkpoints.every(({ isWhole, sections }) => isWhole && sections === 31)).toBe(
        true,
      )
    },
  )

  it('are decoded by the description of their first migration', async () => {
    const states = new DeviceStates([0, 5])
    await walk(fileOf('session', captureBytes('pc16_small')), states)
    expect([...states.moments.keys()]).toEqual([0, 5])
    const find = await finderFor(states, undefined)
    for (const { sections } of states.moments.values()) {
      expect(sections.length).toBe(31)
      for (const { head, occurrence } of sections) expect(find(head, occurrence)).toBeDefined()
    }
  })
})

describe.skipIf(STREAM_NAMES.length === 0)('descriptions', () => {
  it.each(STREAM_NAMES)(
    'of %s are the same from the quick reader, or it declines',
    async (name) => {
      const { json } = await statesOf(name)
      if (json === undefined) {
        expect(name).toBe('pc-i440fx-2.0')
        return
      }
      const quick = quickDescription(JSON.parse(Buffer.from(json).toString('latin1')))
      const hasLists = /"type": "(qtailq|qlist|gtree)"/.test(Buffer.from(json).toString('latin1'))
      if (quick === undefined) expect({ name, hasLists }).toEqual({ name, hasLists: true })
      else expect(quick).toEqual(readVmDescription(json))
    },
  )

  it('of another stream serve one that has none', async () => {
    const states = await statesOf('pc-i440fx-2.0')
    const other = fileOf('other', streamBytes('pc-default-bios'))
    const find = await finderFor(states, await descriptionOf(other))
    const sections = states.last?.sections ?? []
    expect(sections.length).toBe(32)
    expect(sections.filter(({ head }) => find(head, 0) !== undefined).length).toBeGreaterThan(25)
  })
})
