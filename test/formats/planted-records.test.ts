// For every record of either layer one flaw, planted in a stream that is otherwise sound: the reader
// stops at its byte, the verifier reports that byte and nothing else, and reads on to the end.

import { describe, expect, it } from 'vitest'
import { LIBXC } from '../../formats/xen/libxc-records.ts'
import { LIBXL } from '../../formats/xen/libxl-records.ts'
import { encodeRawRecord, fixedRecords } from '../../formats/xen/record-encoder.ts'
import type { StreamForm } from '../../formats/xen/stream-order.ts'
import { readAll } from './read-all.ts'
import * as streams from './streams.ts'
import { verifyAll } from './verify-all.ts'

interface Planted {
  readonly record: string
  readonly flaw: string
  readonly parts: readonly Uint8Array[]
  /** The damaged part, and the byte of it that the error must point at. */
  readonly at: readonly [part: number, byte: number]
  readonly code: string
  readonly form: StreamForm
}

const plain = streams.plainStream()
const pv = streams.pvStream()
const colo = streams.checkpointedStream('colo', 2)
const back = streams.backStream(2)
const LENGTH = 4
const BODY = 8

/** The number of the part that is the record of this type; the libxl header is part 0. */
function partOf(parts: readonly Uint8Array[], type: number, from = 4): number {
  return parts.findIndex((part, index) => index >= from && part[0] === type)
}

/** A record of `parts` with bytes of its body set. */
function patched(
  record: string,
  flaw: string,
  [parts, index]: readonly [readonly Uint8Array[], number],
  [byte, ...values]: readonly [number, ...number[]],
  [at, code]: readonly [number, string],
): Planted {
  const part = parts[index].slice()
  part.set(values, byte)
  const damaged = parts.with(index, part)
  const form = parts === back ? 'back' : 'libxl'
  return { record, flaw, parts: damaged, at: [index, at], code, form }
}

/** A record of `parts` with another body. */
function replaced(
  record: string,
  flaw: string,
  [parts, index]: readonly [readonly Uint8Array[], number],
  body: Uint8Array,
  [at, code]: readonly [number, string],
): Planted {
  const damaged = parts.with(index, encodeRawRecord(parts[index][0], body))
  const form = parts === back ? 'back' : 'libxl'
  return { record, flaw, parts: damaged, at: [index, at], code, form }
}

/** A record put in ahead of part `index`. */
function added(
  record: string,
  flaw: string,
  [parts, index]: readonly [readonly Uint8Array[], number],
  part: Uint8Array,
  [at, code]: readonly [number, string],
): Planted {
  return {
    record,
    flaw,
    parts: parts.toSpliced(index, 0, part),
    at: [index, at],
    code,
    form: 'libxl',
  }
}

const TSC = partOf(plain, 8)
const body = (length: number) => streams.bytesOf(length)
const vcpu = (blob: number) => new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, ...body(blob)])

const planted: readonly Planted[] = [
  replaced('libxl END', 'a body', [plain, plain.length - 1], body(3), [LENGTH, 'bad-length']),
  replaced('libxl LIBXC_CONTEXT', 'a body', [plain, 1], body(8), [LENGTH, 'bad-length']),
  patched(
    'libxl EMULATOR_XENSTORE_DATA',
    'no NUL at the end',
    [plain, 13],
    [52, 65],
    [16, 'bad-value'],
  ),
  patched('libxl EMULATOR_CONTEXT', 'emulator 3', [plain, 14], [BODY, 3], [BODY, 'bad-value']),
  replaced('libxl CHECKPOINT_END', 'a body', [colo, 15], body(8), [LENGTH, 'bad-length']),
  patched('libxl CHECKPOINT_STATE', 'control 4', [colo, 16], [BODY, 4], [BODY, 'bad-value']),
  replaced('libxc END', 'a body', [plain, 12], body(1), [LENGTH, 'bad-length']),
  patched('libxc PAGE_DATA', 'page type 5', [plain, 7], [31, 0x50], [24, 'bad-page-type']),
  patched('libxc X86_PV_INFO', '3 levels of 8 bytes', [pv, 4], [9, 3], [BODY, 'bad-value']),
  patched('libxc X86_PV_P2M_FRAMES', 'two frames due', [pv, 8], [13, 2], [16, 'bad-value']),
  replaced('libxc X86_PV_VCPU_BASIC', 'too short', [pv, 12], vcpu(5167), [16, 'bad-value']),
  replaced('libxc X86_PV_VCPU_EXTENDED', 'too long', [pv, 13], vcpu(129), [16, 'bad-value']),
  replaced('libxc X86_PV_VCPU_XSAVE', 'too short', [pv, 14], vcpu(15), [16, 'bad-value']),
  replaced('libxc X86_PV_VCPU_MSRS', 'half an MSR', [pv, 15], vcpu(24), [16, 'bad-value']),
  replaced('libxc SHARED_INFO', 'too short', [pv, 11], body(4095), [LENGTH, 'bad-length']),
  patched('libxc X86_TSC_INFO', 'mode 4', [plain, TSC], [BODY, 4], [BODY, 'bad-value']),
  replaced('libxc HVM_CONTEXT', 'empty', [plain, 10], body(0), [LENGTH, 'bad-length']),
  patched('libxc HVM_PARAMS', 'count 3 of 2', [plain, 11], [BODY, 3], [BODY, 'bad-value']),
  added('libxc TOOLSTACK', 'deprecated', [plain, TSC], encodeRawRecord(0xb, body(8)), [
    0,
    'unsupported',
  ]),
  added('libxc VERIFY', 'a body', [plain, TSC], encodeRawRecord(0xd, body(4)), [
    LENGTH,
    'bad-length',
  ]),
  replaced('libxc CHECKPOINT', 'a body', [colo, 12], body(8), [LENGTH, 'bad-length']),
  replaced('libxc CHECKPOINT_DIRTY_PFN_LIST', 'half a pfn', [back, 3], body(12), [
    LENGTH,
    'bad-length',
  ]),
  added('libxc STATIC_DATA_END', 'twice', [plain, TSC], fixedRecords.STATIC_DATA_END, [
    0,
    'wrong-place',
  ]),
  replaced('libxc X86_CPUID_POLICY', 'half a leaf', [plain, 4], body(36), [LENGTH, 'bad-length']),
  patched('libxc X86_MSR_POLICY', 'flags', [plain, 5], [12, 1], [BODY, 'bad-value']),
]

describe('a flaw in each record', () => {
  it('is planted in every one that there is', () => {
    const rows = [...Object.values(LIBXL), ...Object.values(LIBXC)]
    const due = rows.map(({ layer, name }) => `${layer} ${name}`)
    expect(planted.map(({ record }) => record).toSorted()).toEqual(due.toSorted())
  })

  it.each(planted)('$record: $flaw is $code', ({ record, parts, at, code, form }) => {
    const bytes = streams.join(parts)
    const due = {
      code,
      offset: streams.join(parts.slice(0, at[0])).length + at[1],
      record: record.split(' ')[1],
    }
    expect(readAll([bytes], { form }).error).toMatchObject(due)

    const { verdict, findings } = verifyAll([bytes], { form })
    expect(findings).toMatchObject([{ ...due, severity: 'error' }])
    expect(verdict).toMatchObject({ judgement: 'invalid', bytes: bytes.length })
    expect(['complete', 'failover']).toContain(verdict.ending)
    const bytewise = Array.from(bytes, (byte) => Uint8Array.of(byte))
    expect(verifyAll(bytewise, { form })).toMatchObject({ verdict, findings })
  })
})
