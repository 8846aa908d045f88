// Small streams made by our own encoders, as lists of records, so that a test can pick them apart.

import { LIBXC } from '../../formats/xen/libxc-records.ts'
import { EMULATOR_ID, LIBXL } from '../../formats/xen/libxl-records.ts'
import {
  PAGE_TYPE,
  carriesPage,
  pageDataBytes,
  recordBytes,
  writePageDataHeader,
  writePfn,
} from '../../formats/xen/page-data.ts'
import { encodeRecord, fixedRecords } from '../../formats/xen/record-encoder.ts'
import type { Guest } from '../../formats/xen/record-spec.ts'
import * as headers from '../../formats/xen/stream-headers.ts'
import { encodeXenstorePairs } from '../../formats/xen/xenstore-data.ts'

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export function bytesOf(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + seed * 13) & 0xff)
}

/** A PAGE_DATA of these pfns and types, its pages filled with a pattern of the pfn. */
export function pageData(pages: readonly (readonly [pfn: number, type: number])[]): Uint8Array {
  const carried = pages.filter(([, type]) => carriesPage(type))
  const bytes = new Uint8Array(recordBytes(pageDataBytes(pages.length, carried.length)))
  const view = new DataView(bytes.buffer)
  let at = writePageDataHeader(view, 0, pages.length, carried.length)
  for (const [pfn, type] of pages) at = writePfn(view, at, pfn, type)
  for (const [pfn] of carried) {
    bytes.set(bytesOf(4096, pfn), at)
    at += 4096
  }
  return bytes
}

export const tscInfo = encodeRecord(LIBXC.X86_TSC_INFO, {
  mode: 0,
  khz: 2_400_000,
  nsec: 123_456_789n,
  incarnation: 1,
})
export const hvmContext = encodeRecord(LIBXC.HVM_CONTEXT, { blob: bytesOf(29) })
export const hvmParams = encodeRecord(LIBXC.HVM_PARAMS, {
  params: [
    { index: 1n, value: 0xffefcn },
    { index: 17n, value: 0n },
  ],
})
export const emulatorContext = encodeRecord(LIBXL.EMULATOR_CONTEXT, {
  emulatorId: EMULATOR_ID.QEMU_UPSTREAM,
  index: 0,
  blob: bytesOf(11),
})
export const xenstoreData = encodeRecord(LIBXL.EMULATOR_XENSTORE_DATA, {
  emulatorId: EMULATOR_ID.QEMU_UPSTREAM,
  index: 0,
  data: encodeXenstorePairs([['physmap/f0000000/start_addr', 'f0000000']]),
})
export const cpuidPolicy = encodeRecord(LIBXC.X86_CPUID_POLICY, {
  leaves: [{ leaf: 0, subleaf: 0xffffffff, a: 1, b: 2, c: 3, d: 4 }],
})
export const msrPolicy = encodeRecord(LIBXC.X86_MSR_POLICY, {
  msrs: [{ index: 0xce, flags: 0, value: 0x80000000n }],
})

export function opening(guest: Guest = 'hvm'): Uint8Array[] {
  const domain = headers.encodeDomainHeader(guest)
  const { LIBXC_CONTEXT } = fixedRecords
  return [headers.encodeLibxlHeader(), LIBXC_CONTEXT, headers.encodeImageHeader(), domain]
}

export const staticData = [cpuidPolicy, msrPolicy, fixedRecords.STATIC_DATA_END]

function round(seed: number): Uint8Array[] {
  const pages = pageData([
    [seed, PAGE_TYPE.NOTAB],
    [seed + 1, PAGE_TYPE.XTAB],
    [2 ** 52 - 1 - seed, PAGE_TYPE.L1TAB],
  ])
  return [pages, pageData([[seed + 9, PAGE_TYPE.BROKEN]]), tscInfo, hvmContext, hvmParams]
}

export function plainStream(): Uint8Array[] {
  const { LIBXC_END, LIBXL_END } = fixedRecords
  const tail = [LIBXC_END, xenstoreData, emulatorContext, LIBXL_END]
  return [...opening(), ...staticData, ...round(1), ...tail]
}

/** A checkpointed stream that ends behind its last CHECKPOINT_END, as real ones do. */
export function checkpointedStream(kind: 'remus' | 'colo', checkpoints: number): Uint8Array[] {
  const { CHECKPOINT, CHECKPOINT_END, NEW } = fixedRecords
  const parts = [...opening(), ...staticData]
  for (let checkpoint = 0; checkpoint < checkpoints; checkpoint++) {
    if (checkpoint > 0 && kind === 'colo') parts.push(NEW)
    parts.push(...round(checkpoint * 16))
    parts.push(CHECKPOINT, xenstoreData, emulatorContext, CHECKPOINT_END)
  }
  return parts
}

export function dirtyPfnList(pfns: readonly number[]): Uint8Array {
  const words = new Uint8Array(pfns.length * 8)
  let at = 0
  for (const pfn of pfns) at = writePfn(new DataView(words.buffer), at, pfn)
  return encodeRecord(LIBXC.CHECKPOINT_DIRTY_PFN_LIST, { words })
}

export function backStream(rounds: number): Uint8Array[] {
  const { SVM_READY, SVM_RESUMED, SVM_SUSPENDED } = fixedRecords
  const parts = [SVM_READY, SVM_RESUMED]
  for (let index = 0; index < rounds; index++) {
    parts.push(SVM_SUSPENDED, dirtyPfnList([3, 2 ** 52 - 1, index]), SVM_READY, SVM_RESUMED)
  }
  return parts
}

export function pvStream(): Uint8Array[] {
  const { STATIC_DATA_END, LIBXC_END, LIBXL_END } = fixedRecords
  const info = encodeRecord(LIBXC.X86_PV_INFO, { guestWidth: 8, levels: 4 })
  const frames = encodeRecord(LIBXC.X86_PV_P2M_FRAMES, { startPfn: 0, endPfn: 511, frames: [7n] })
  const shared = encodeRecord(LIBXC.SHARED_INFO, { page: bytesOf(4096) })
  const basic = encodeRecord(LIBXC.X86_PV_VCPU_BASIC, { vcpuId: 0, blob: bytesOf(5168) })
  const extended = encodeRecord(LIBXC.X86_PV_VCPU_EXTENDED, { vcpuId: 0, blob: bytesOf(128) })
  const xsave = encodeRecord(LIBXC.X86_PV_VCPU_XSAVE, { vcpuId: 0, blob: bytesOf(17) })
  const msrs = encodeRecord(LIBXC.X86_PV_VCPU_MSRS, { vcpuId: 0, blob: bytesOf(32) })
  const image = [info, cpuidPolicy, msrPolicy, STATIC_DATA_END, frames, pageData([[511, 9]])]
  const state = [tscInfo, shared, basic, extended, xsave, msrs]
  return [...opening('pv'), ...image, ...state, LIBXC_END, LIBXL_END]
}
