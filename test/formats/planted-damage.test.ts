// One flaw planted in a sound stream, and what the reader must say of it: the code, the byte, the
// record.

import { describe, expect, it } from 'vitest'
import { encodeRawRecord, fixedRecords } from '../../formats/xen/record-encoder.ts'
import { encodeImageHeader } from '../../formats/xen/stream-headers.ts'
import type { StreamReaderOptions } from '../../formats/xen/stream-sink.ts'
import { readAll } from './read-all.ts'
import * as streams from './streams.ts'
import { verifyAll } from './verify-all.ts'

const bytes = (length: number) => streams.bytesOf(length)
const plain = streams.plainStream()
const colo = streams.checkpointedStream('colo', 2)
const { NEW, SVM_READY, SVM_RESUMED, SVM_SUSPENDED } = fixedRecords
const { LIBXC_CONTEXT, CHECKPOINT, CHECKPOINT_END, LIBXC_END, STATIC_DATA_END } = fixedRecords

/** Parts of plainStream: libxl header, LIBXC_CONTEXT, image and domain header, then these. */
const CPUID = 4
const STATIC_END = 6
const PAGES = 7
const TSC = 9
const PARAMS = 11
const XENSTORE = 13
const EMULATOR = 14

interface Planted {
  readonly flaw: string
  readonly parts: Uint8Array[]
  /** The damaged part, and the byte in it that the error must point at. */
  readonly at: [part: number, byte: number]
  readonly code: string
  readonly record: string
  readonly options?: StreamReaderOptions
}

/** `parts` with part `index` replaced by `others`. */
function replace(parts: Uint8Array[], index: number, ...others: Uint8Array[]): Uint8Array[] {
  return [...parts.slice(0, index), ...others, ...parts.slice(index + 1)]
}

/** `parts` with bytes of part `index` set, from `byte` on. */
function patch(parts: Uint8Array[], index: number, byte: number, ...values: number[]) {
  const part = parts[index].slice()
  part.set(values, byte)
  return replace(parts, index, part)
}

function row(
  flaw: string,
  parts: Uint8Array[],
  at: [number, number],
  code: string,
  record: string,
  options?: StreamReaderOptions,
): Planted {
  return { flaw, parts, at, code, record, options }
}

const back: StreamReaderOptions = { form: 'back' }
const limited = (limits: StreamReaderOptions['limits']): StreamReaderOptions => ({
  form: 'libxl',
  limits,
})

const planted: Planted[] = [
  row('a wrong ident', patch(plain, 0, 7, 0x75), [0, 0], 'bad-magic', 'libxl header'),
  row('libxl version 3', patch(plain, 0, 11, 3), [0, 8], 'bad-version', 'libxl header'),
  row('a big-endian stream', patch(plain, 0, 15, 1), [0, 12], 'unsupported', 'libxl header'),
  row('a broken marker', patch(plain, 2, 3, 0), [2, 3], 'bad-magic', 'image header'),
  row('image version 4', patch(plain, 2, 15, 4), [2, 12], 'bad-version', 'image header'),
  row('a big-endian image', patch(plain, 2, 17, 1), [2, 16], 'unsupported', 'image header'),
  row('domain type 0', patch(plain, 3, 0, 0), [3, 0], 'bad-header', 'domain header'),
  row('page_shift 13', patch(plain, 3, 4, 13), [3, 4], 'bad-header', 'domain header'),
  row('an unknown record', patch(plain, TSC, 0, 0x13), [TSC, 0], 'unknown-record', '0x13'),
  row('a TOOLSTACK', patch(plain, TSC, 0, 0xb), [TSC, 0], 'unsupported', 'TOOLSTACK'),
  row('a length off by one', patch(plain, TSC, 4, 25), [TSC, 4], 'bad-length', 'X86_TSC_INFO'),
  row('TSC mode 4', patch(plain, TSC, 8, 4), [TSC, 8], 'bad-value', 'X86_TSC_INFO'),
  row(
    'a CPUID policy of nothing',
    patch(plain, CPUID, 4, 0),
    [CPUID, 4],
    'bad-length',
    'X86_CPUID_POLICY',
  ),
  row('MSR flags', patch(plain, 5, 12, 1), [5, 8], 'bad-value', 'X86_MSR_POLICY'),
  row('a count of params', patch(plain, PARAMS, 8, 3), [PARAMS, 8], 'bad-value', 'HVM_PARAMS'),
  row('emulator 3', patch(plain, EMULATOR, 8, 3), [EMULATOR, 8], 'bad-value', 'EMULATOR_CONTEXT'),
  row(
    'an absolute key',
    patch(plain, XENSTORE, 16, 47),
    [XENSTORE, 16],
    'bad-value',
    'EMULATOR_XENSTORE_DATA',
  ),
  row('page type 5', patch(plain, PAGES, 31, 0x50), [PAGES, 24], 'bad-page-type', 'PAGE_DATA'),
  row('no pages', patch(plain, PAGES, 8, 0), [PAGES, 8], 'bad-value', 'PAGE_DATA'),
  row('too many pfns', patch(plain, PAGES, 9, 9), [PAGES, 8], 'bad-value', 'PAGE_DATA'),
  row('a count that wraps', patch(plain, PAGES, 11, 0x20), [PAGES, 8], 'too-long', 'PAGE_DATA'),
  row('a page too few', patch(plain, PAGES, 5, 0x10), [PAGES, 4], 'bad-length', 'PAGE_DATA'),
  row(
    'no STATIC_DATA_END',
    replace(plain, STATIC_END),
    [STATIC_END, 0],
    'wrong-place',
    'PAGE_DATA',
  ),
  row(
    'two STATIC_DATA_ENDs',
    replace(plain, STATIC_END, STATIC_DATA_END, STATIC_DATA_END),
    [STATIC_END + 1, 0],
    'wrong-place',
    'STATIC_DATA_END',
  ),
  row(
    'static data in version 2',
    replace(plain, 2, encodeImageHeader(2)),
    [CPUID, 0],
    'wrong-place',
    'X86_CPUID_POLICY',
  ),
  row(
    'a dirty list forward',
    replace(plain, TSC, streams.dirtyPfnList([1])),
    [TSC, 0],
    'wrong-place',
    'CHECKPOINT_DIRTY_PFN_LIST',
  ),
  row('a PV record in HVM', patch(plain, TSC, 0, 7), [TSC, 0], 'wrong-place', 'SHARED_INFO'),
  row(
    'a record behind END',
    [...plain, LIBXC_END],
    [plain.length, 0],
    'trailing-bytes',
    'record header',
  ),
  row('END in a checkpoint', [...colo.slice(0, 13), LIBXC_END], [13, 0], 'wrong-place', 'END'),
  row(
    'CHECKPOINT_END without CHECKPOINT',
    [...plain.slice(0, 4), CHECKPOINT_END],
    [4, 0],
    'wrong-place',
    'X86_PV_VCPU_BASIC',
  ),
  row(
    'SVM_READY forward',
    replace(colo, colo.indexOf(NEW), SVM_READY),
    [16, 8],
    'wrong-place',
    'CHECKPOINT_STATE',
  ),
  row(
    'a second context in COLO',
    [...colo, LIBXC_CONTEXT],
    [colo.length, 0],
    'wrong-place',
    'LIBXC_CONTEXT',
    {
      form: 'libxl',
      checkpointed: 'colo',
    },
  ),
  row('READY twice', [SVM_READY, SVM_READY], [1, 8], 'wrong-place', 'CHECKPOINT_STATE', back),
  row('NEW from the secondary', [NEW], [0, 8], 'wrong-place', 'CHECKPOINT_STATE', back),
  row('control_id 4', [patch([NEW], 0, 8, 4)[0]], [0, 8], 'bad-value', 'CHECKPOINT_STATE', back),
  row(
    'no dirty list',
    [SVM_READY, SVM_RESUMED, SVM_SUSPENDED, CHECKPOINT],
    [3, 0],
    'wrong-place',
    'CHECKPOINT',
    back,
  ),
  row(
    'a list of half a pfn',
    [SVM_READY, SVM_RESUMED, SVM_SUSPENDED, encodeRawRecord(0xf, bytes(12))],
    [3, 4],
    'bad-length',
    'CHECKPOINT_DIRTY_PFN_LIST',
    back,
  ),
  row(
    'a record over its limit',
    plain,
    [PAGES, 4],
    'too-long',
    'PAGE_DATA',
    limited({ recordBytesMax: 200 }),
  ),
  row(
    'a blob over its limit',
    plain,
    [10, 4],
    'too-long',
    'HVM_CONTEXT',
    limited({ blobBytesMax: 28 }),
  ),
  row('pfns over their limit', plain, [PAGES, 8], 'too-long', 'PAGE_DATA', limited({ pfnsMax: 2 })),
  row(
    'a list over its limit',
    streams.backStream(1),
    [3, 4],
    'too-long',
    'CHECKPOINT_DIRTY_PFN_LIST',
    {
      form: 'back',
      limits: { pfnsMax: 2 },
    },
  ),
]

describe('planted damage', () => {
  it.each(planted)('$flaw is $code', ({ parts, at, code, record, options }) => {
    const offset = streams.join(parts.slice(0, at[0])).length + at[1]
    const whole = readAll([streams.join(parts)], options ?? { form: 'libxl' })
    expect(whole.error).toMatchObject({ code, offset, record })
    const bytewise = Array.from(streams.join(parts), (byte) => Uint8Array.of(byte))
    const again = readAll(bytewise, options ?? { form: 'libxl' })
    expect(again.error?.message).toBe(whole.error?.message)
  })

  // The verifier has no limits of its own, and reads big-endian streams.
  const judged = planted.filter(({ code, options }) => {
    return code !== 'too-long' && options?.limits === undefined && code !== 'trailing-bytes'
  })
  const littleEndian = judged.filter(({ flaw }) => !flaw.includes('big-endian'))

  it.each(littleEndian)('$flaw is $code to the verifier too', ({ parts, at, code, options }) => {
    const offset = streams.join(parts.slice(0, at[0])).length + at[1]
    const { form = 'libxl', checkpointed } = options ?? {}
    const { findings } = verifyAll([streams.join(parts)], {
      form: checkpointed === 'colo' ? 'colo' : form,
    })
    const first = findings.find(({ severity }) => severity === 'error')
    expect(first).toMatchObject({ code, offset })
  })

  it('finds a pfn beyond those of a PV guest', () => {
    const parts = streams.pvStream()
    const pages = parts.findIndex((part) => part[0] === 1 && part.length > 4096)
    const damaged = patch(parts, pages, 17, 2)
    const offset = streams.join(damaged.slice(0, pages)).length + 16
    const { error } = readAll([streams.join(damaged)], { form: 'libxl' })
    expect(error).toMatchObject({ code: 'bad-value', offset, record: 'PAGE_DATA' })
  })

  it('wants the frames of a PV guest ahead of its pages', () => {
    const parts = streams.pvStream()
    const frames = parts.findIndex((part) => part[0] === 3)
    const damaged = replace(parts, frames)
    const offset = streams.join(damaged.slice(0, frames)).length
    const { error } = readAll([streams.join(damaged)], { form: 'libxl' })
    expect(error).toMatchObject({ code: 'wrong-place', offset, record: 'PAGE_DATA' })
  })

  it('ignores what a receiver must ignore: reserved fields, option bits, pfn bits, padding', () => {
    let parts = patch(plain, 0, 12, 0xff, 0xff, 0xff, 0xfe)
    parts = patch(parts, 2, 16, 0xff, 0xfe, 1, 2, 3, 4, 5, 6)
    parts = patch(parts, 3, 6, 9, 9)
    parts = patch(parts, PAGES, 12, 1, 2, 3, 4)
    parts = patch(parts, PAGES, 22, 0xf0, 0x0f)
    parts = patch(parts, TSC, 28, 1, 2, 3, 4)
    parts = patch(parts, PARAMS, 12, 1)
    parts = patch(parts, EMULATOR, 8 + 19, 1, 1, 1, 1, 1)
    const { outcome, error } = readAll([streams.join(parts)], { form: 'libxl' })
    expect([outcome, error?.message]).toEqual(['complete', undefined])
  })
})
