// The records of the libxc layer, one row each, in the order of their types where the rows that
// others need allow it. Rules that only Xen's C reader has are kept as well: what it would refuse
// is of no use to anyone.

import type { Layout } from './body-layout.ts'
import { readU32 } from '../bytes/byte-order.ts'
import { atLeast, exactly } from './record-spec.ts'
import type { Flaw, LengthRule, RecordRules, RecordSpec } from './record-spec.ts'

const inImage = { libxc: 'libxc' } as const

function row<const L extends Layout>(
  type: number,
  name: string,
  layout: L,
  length: LengthRule,
  rules: RecordRules<L> = {},
): RecordSpec<L> {
  const section = '3, libxc stream'
  return { name, layer: 'libxc', type, layout, length, section, leads: inImage, ...rules }
}

/**
 * A blob of one vcpu. Xen tolerates an empty one (errata 1), so `ruleOf` is asked about others
 * only.
 */
function vcpuRow(type: number, name: string, ruleOf: (bytes: number, width: number) => string) {
  return row(type, name, { vcpuId: 'u32', reserved: 'zero32', blob: 'bytes' }, atLeast(8), {
    guest: 'pv',
    needs: [X86_PV_INFO],
    check({ blob }, { guestWidth }): Flaw | undefined {
      const rule = blob.length === 0 ? '' : ruleOf(blob.length, guestWidth)
      return rule === '' ? undefined : { field: 'blob', rule }
    },
  })
}

const PAGE_BYTES = 4096
/** Of the modes that Xen has had: default, always emulate, never emulate, PV RDTSCP. */
const TSC_MODE_HIGHEST = 3
/** sizeof(vcpu_guest_context) by the guest's width in bytes. */
const vcpuContextBytes: Readonly<Record<number, number>> = { 4: 2800, 8: 5168 }
const pageTableLevels: Readonly<Record<number, number>> = { 4: 3, 8: 4 }

const STATIC_DATA_END = row(0x10, 'STATIC_DATA_END', {}, exactly(0), {
  imageVersion: 3,
  once: true,
})

const X86_PV_INFO = row(
  0x2,
  'X86_PV_INFO',
  { guestWidth: 'u8', levels: 'u8', reserved: 'zero48' },
  exactly(8),
  {
    guest: 'pv',
    once: true,
    check({ guestWidth, levels }) {
      if (pageTableLevels[guestWidth] === levels) return undefined
      return { field: 'guestWidth', rule: 'width and levels must be 4 and 3, or 8 and 4' }
    },
    note({ guestWidth }, facts) {
      facts.guestWidth = guestWidth
    },
    forget(facts) {
      facts.guestWidth = 0
    },
  },
)

const X86_PV_P2M_FRAMES = row(
  0x3,
  'X86_PV_P2M_FRAMES',
  { startPfn: 'u32', endPfn: 'u32', frames: ['u64'] },
  atLeast(16, 8),
  {
    guest: 'pv',
    needs: [X86_PV_INFO, STATIC_DATA_END],
    check({ startPfn, endPfn, frames }, { guestWidth }) {
      if (startPfn > endPfn) return { field: 'startPfn', rule: 'start_pfn must not exceed end_pfn' }
      if (guestWidth === 0) return undefined
      const pfnsAFrame = PAGE_BYTES / guestWidth
      const due = Math.floor(endPfn / pfnsAFrame) - Math.floor(startPfn / pfnsAFrame) + 1
      if (frames.length === due) return undefined
      return { field: 'frames', rule: `these pfns take ${due} frames, not ${frames.length}` }
    },
    note({ endPfn }, facts) {
      facts.pfnHighest = Math.max(facts.pfnHighest, endPfn)
    },
    forget(facts) {
      facts.pfnHighest = Infinity
    },
  },
)

export const LIBXC = {
  END: row(0x0, 'END', {}, exactly(0), {
    leads: { libxc: 'libxl tail' },
    needs: [STATIC_DATA_END],
  }),

  // The count, the pfn words and the pages are judged where they are read: page-data.ts,
  // stream-reader.ts.
  PAGE_DATA: row(
    0x1,
    'PAGE_DATA',
    { count: 'count', reserved: 'zero32', pfns: ['u64'], pages: 'bytes' },
    atLeast(16, 8),
    { needs: [STATIC_DATA_END, X86_PV_P2M_FRAMES], pfns: true },
  ),

  X86_PV_INFO,
  X86_PV_P2M_FRAMES,

  X86_PV_VCPU_BASIC: vcpuRow(0x4, 'X86_PV_VCPU_BASIC', (bytes, width) =>
    bytes === (vcpuContextBytes[width] ?? bytes)
      ? ''
      : `the context takes ${vcpuContextBytes[width]} bytes`,
  ),
  X86_PV_VCPU_EXTENDED: vcpuRow(0x5, 'X86_PV_VCPU_EXTENDED', (bytes) =>
    bytes <= 128 ? '' : 'the extended context takes at most 128 bytes',
  ),
  X86_PV_VCPU_XSAVE: vcpuRow(0x6, 'X86_PV_VCPU_XSAVE', (bytes) =>
    bytes >= 16 ? '' : 'the xsave area takes at least 16 bytes',
  ),

  SHARED_INFO: row(0x7, 'SHARED_INFO', { page: 'bytes' }, exactly(PAGE_BYTES), {
    guest: 'pv',
    needs: [X86_PV_INFO],
  }),

  X86_TSC_INFO: row(
    0x8,
    'X86_TSC_INFO',
    { mode: 'u32', khz: 'u32', nsec: 'u64', incarnation: 'u32', reserved: 'zero32' },
    exactly(24),
    {
      check({ mode }) {
        if (mode <= TSC_MODE_HIGHEST) return undefined
        return { field: 'mode', rule: `the TSC mode must be 0 to ${TSC_MODE_HIGHEST}` }
      },
    },
  ),

  HVM_CONTEXT: row(0x9, 'HVM_CONTEXT', { blob: 'bytes' }, atLeast(1), { guest: 'hvm' }),

  HVM_PARAMS: row(
    0xa,
    'HVM_PARAMS',
    { count: 'count', reserved: 'zero32', params: [{ index: 'u64', value: 'u64' }] },
    atLeast(8, 16),
    {
      guest: 'hvm',
      check({ count, params }) {
        if (count === params.length) return undefined
        return { field: 'count', rule: `body_length must be 8 + 16 * count, count is ${count}` }
      },
    },
  ),

  TOOLSTACK: row(0xb, 'TOOLSTACK', { blob: 'bytes' }, atLeast(0), {
    refused: 'TOOLSTACK is deprecated: libxl carries its content',
  }),

  X86_PV_VCPU_MSRS: vcpuRow(0xc, 'X86_PV_VCPU_MSRS', (bytes) =>
    bytes % 16 === 0 ? '' : 'the MSRs take a multiple of 16 bytes',
  ),

  VERIFY: row(0xd, 'VERIFY', {}, exactly(0), { plainOnly: true }),

  CHECKPOINT: row(0xe, 'CHECKPOINT', {}, exactly(0), {
    leads: { libxc: 'checkpoint' },
    needs: [STATIC_DATA_END],
  }),

  // Words as in PAGE_DATA, without types; kept as bytes, since a list may hold every page of a
  // guest.
  CHECKPOINT_DIRTY_PFN_LIST: row(
    0xf,
    'CHECKPOINT_DIRTY_PFN_LIST',
    { words: 'bytes' },
    atLeast(0, 8),
    { leads: { 'svm dirty pfns': 'svm ready' }, pfns: true },
  ),

  STATIC_DATA_END,

  X86_CPUID_POLICY: row(
    0x11,
    'X86_CPUID_POLICY',
    { leaves: [{ leaf: 'u32', subleaf: 'u32', a: 'u32', b: 'u32', c: 'u32', d: 'u32' }] },
    atLeast(24, 24),
    { imageVersion: 3 },
  ),

  X86_MSR_POLICY: row(
    0x12,
    'X86_MSR_POLICY',
    { msrs: [{ index: 'u32', flags: 'u32', value: 'u64' }] },
    atLeast(16, 16),
    {
      imageVersion: 3,
      item: {
        rule: 'the flags of an MSR must be zero',
        holds: (bytes, at) => readU32(bytes, at + 4) === 0,
      },
    },
  ),
}
