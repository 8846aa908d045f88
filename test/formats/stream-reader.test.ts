// What a reader says of whole streams: the same at every chunking, from shared memory, without
// copying pages.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixedRecords } from '../../formats/xen/record-encoder.ts'
import { encodeXlHeader } from '../../formats/xen/stream-headers.ts'
import { StreamReader } from '../../formats/xen/stream-reader.ts'
import type { StreamReaderOptions } from '../../formats/xen/stream-sink.ts'
import { readAll } from './read-all.ts'
import * as streams from './streams.ts'

const libxl: StreamReaderOptions = { form: 'libxl' }
const samples = [
  ['plain', streams.plainStream(), libxl, 'complete'],
  ['PV', streams.pvStream(), libxl, 'complete'],
  ['Remus', streams.checkpointedStream('remus', 3), libxl, 'failover'],
  ['COLO', streams.checkpointedStream('colo', 3), libxl, 'failover'],
  ['back', streams.backStream(2), { form: 'back' }, 'failover'],
  ['xl', [encodeXlHeader(), ...streams.plainStream()], { form: 'xl' }, 'complete'],
  ['libxc', streams.plainStream().slice(2, -3), { form: 'libxc' }, 'complete'],
] as const

const ignore = { record: () => {}, pageData: () => {}, pageBytes: () => {} }

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b)
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to))
}

function withoutPlaces(line: string): string {
  return line.replace(/^\d+ | at \d+/g, '')
}

function refuse(): void {
  throw new Error('no room')
}

describe('StreamReader', () => {
  it.each(samples)(
    'reads a %s stream whole, and the same byte by byte',
    (_, parts, options, due) => {
      const bytes = streams.join(parts)
      const whole = readAll([bytes], options)
      const bytewise = readAll(
        [...bytes].map((byte) => Uint8Array.of(byte)),
        options,
      )
      expect(whole.error).toBeUndefined()
      expect(whole.outcome).toBe(due)
      expect(whole.reader.bytesRead).toBe(bytes.length)
      expect(bytewise).toMatchObject({ outcome: due, heard: whole.heard, pages: whole.pages })
    },
  )

  it.each(samples)('reads a %s stream the same at any chunking', (_, parts, options) => {
    const bytes = streams.join(parts)
    const { heard, pages } = readAll([bytes], options)
    const property = fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
      const reading = readAll(split(bytes, cuts), options)
      expect(reading.error).toBeUndefined()
      expect(reading.heard).toEqual(heard)
      expect(reading.pages).toEqual(pages)
    })
    fc.assert(property, { numRuns: 60 })
  })

  it('names each record with its offset and index', () => {
    const parts = streams.checkpointedStream('colo', 2)
    const { heard } = readAll([streams.join(parts)], libxl)
    // Each part is one header or record; LIBXC_CONTEXT is part 1 and record 0.
    const offsets = parts.map((_, part) => streams.join(parts.slice(0, part)).length)
    expect(heard).toHaveLength(parts.length)
    expect(heard.map((line) => Number(/ at (\d+)/.exec(line)?.[1]))).toEqual(offsets)
    expect(heard[1]).toMatch(/^0 libxl LIBXC_CONTEXT/)
    expect(heard.at(-1)).toMatch(new RegExp(`^${parts.length - 4} libxl CHECKPOINT_END`))
  })

  it('reads an arena over shared memory by growing offsets, and hands pages on in place', () => {
    const parts = streams.plainStream()
    const bytes = streams.join(parts)
    const arena = new Uint8Array(new SharedArrayBuffer(bytes.length + 64))
    arena.set(bytes, 64)
    const pieces: [number, number][] = []
    const chunks = new Set<Uint8Array>()
    const pageBytes = (chunk: Uint8Array, from: number, to: number) => {
      chunks.add(chunk)
      pieces.push([from, to])
    }
    const reader = new StreamReader({ ...ignore, pageBytes }, libxl)
    for (let at = 64; at < arena.length; at += 1000) {
      reader.push(arena, at, Math.min(arena.length, at + 1000))
    }
    expect(reader.finish()).toBe('complete')
    expect([...chunks]).toEqual([arena])
    const firstPage = 64 + streams.join(parts.slice(0, 7)).length + 16 + 3 * 8
    expect(pieces[0]?.[0]).toBe(firstPage)
    expect(pieces.at(-1)?.[1]).toBe(firstPage + 2 * 4096)
  })

  it('hands over a record without a body as soon as its header is there', () => {
    const parts = streams.checkpointedStream('colo', 1)
    const names: string[] = []
    const record = ({ spec }: { spec: { name: string } }) => names.push(spec.name)
    const reader = new StreamReader({ ...ignore, record }, { form: 'libxl', checkpointed: 'colo' })
    const bytes = streams.join(parts)
    reader.push(bytes, 0, bytes.length - 1)
    expect([names.at(-1), reader.checkpoints]).toEqual(['EMULATOR_CONTEXT', 0])
    reader.push(bytes, bytes.length - 1)
    expect([names.at(-1), reader.checkpoints]).toEqual(['CHECKPOINT_END', 1])
    expect(reader.checkpointEndBytes).toBe(bytes.length)
    expect(reader.state).toBe('control: record header')
  })

  it('fails over at any cut behind the first checkpoint, and only there', () => {
    const bytes = streams.join(streams.checkpointedStream('colo', 2))
    const first = streams.join(streams.checkpointedStream('colo', 1)).length
    for (let cut = 0; cut < bytes.length; cut += 7) {
      const { outcome, error, reader } = readAll([bytes.subarray(0, cut)], libxl)
      expect([cut, outcome, error?.code, error?.offset]).toEqual(
        cut < first ? [cut, undefined, 'truncated', cut] : [cut, 'failover', undefined, undefined],
      )
      expect(reader.checkpointEndBytes).toBe(cut < first ? 0 : first)
    }
  })

  it('skips optional records without a word, also inside a checkpoint', () => {
    const optional = Uint8Array.of(1, 0, 0, 0x80, 3, 0, 0, 0, ...streams.bytesOf(8))
    const parts = streams.checkpointedStream('colo', 2)
    const { heard } = readAll([streams.join(parts)], libxl)
    const padded = parts.flatMap((part, index) => (index < 4 ? [part] : [part, optional]))
    const reading = readAll([streams.join(padded)], libxl)
    expect(reading.outcome).toBe('failover')
    expect(reading.heard.map(withoutPlaces)).toEqual(heard.map(withoutPlaces))
  })

  it('takes no more bytes once it has failed, finished, or its sink has thrown', () => {
    const failed = new StreamReader(ignore, libxl)
    expect(() => failed.push(new Uint8Array(16))).toThrow('bad-magic at byte 0')
    expect(() => failed.push(new Uint8Array(1))).toThrow('closed at byte 16')
    expect(() => failed.finish()).toThrow('closed')
    const bytes = streams.join(streams.plainStream())
    const finished = new StreamReader(ignore, libxl)
    finished.push(bytes)
    finished.finish()
    expect(() => finished.push(bytes)).toThrow('closed')
    const thrown = new StreamReader({ ...ignore, pageBytes: refuse }, libxl)
    expect(() => thrown.push(bytes)).toThrow('no room')
    expect(() => thrown.push(bytes)).toThrow('closed')
  })

  it('tells Remus from COLO by what follows a checkpoint, and then keeps to it', () => {
    const colo = streams.checkpointedStream('colo', 3)
    const remus = streams.checkpointedStream('remus', 3)
    const asRemus = readAll([streams.join(colo)], { form: 'libxl', checkpointed: 'remus' })
    const asColo = readAll([streams.join(remus)], { form: 'libxl', checkpointed: 'colo' })
    const asPlain = readAll([streams.join(colo)], { form: 'libxl', checkpointed: 'none' })
    expect(asRemus.error).toMatchObject({ code: 'wrong-place', record: 'X86_PV_VCPU_EXTENDED' })
    expect(asColo.error).toMatchObject({ code: 'wrong-place', record: 'LIBXC_CONTEXT' })
    expect(asPlain.error).toMatchObject({ code: 'wrong-place', record: 'CHECKPOINT' })
    const mixed = [...streams.checkpointedStream('remus', 2), fixedRecords.NEW]
    expect(readAll([streams.join(mixed)], libxl).error?.code).toBe('wrong-place')
  })
})
