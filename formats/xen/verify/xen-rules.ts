// What Xen 4.17's verify-stream-v2 says of each header and record, word for word, as found by
// running it: its rules are not those of the specification, and this is the only place that has
// them. shared/spec/xen-streams.md, section 6.1, lists where they part.

import { readU16, readU16BigEndian, readU32, readU32BigEndian } from '../../bytes/byte-order.ts'
import { LIBXC } from '../libxc-records.ts'
import { LIBXL } from '../libxl-records.ts'
import { PFN_WORD_BYTES } from '../page-data.ts'
import { judgeWord } from './page-words.ts'

/** What it ends with: its exit code, and the last line of what it says; 'OK' when that is nothing. */
export interface XenVerdict {
  readonly exit: 0 | 1 | 2
  readonly message: string
}

export const xenOk: XenVerdict = { exit: 0, message: 'OK' }
export const xenTruncated: XenVerdict = { exit: 1, message: 'OSError: Stream truncated' }

export function streamError(words: string): XenVerdict {
  return { exit: 1, message: `xen.migration.verify.StreamError: ${words}` }
}

export function recordError(words: string): XenVerdict {
  return { exit: 1, message: `xen.migration.verify.RecordError: ${words}` }
}

function hex(value: number, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** Eight bytes of a header, as one big-endian number. */
function hex64(bytes: Uint8Array, at: number): string {
  const [high, low] = [readU32BigEndian(bytes, at), readU32BigEndian(bytes, at + 4)]
  return high === 0 ? hex(low) : `${hex(high)}${low.toString(16).padStart(8, '0')}`
}

const xlMagic = 'Xen saved domain, xl format\n \0 \r'
export const XL_MAGIC_BYTES = xlMagic.length
const LIBXL_IDENT = '0x4c6962786c466d74'
const IMAGE_MARKER = '0xffffffffffffffff'
const IMAGE_ID = 0x58454e46
/** Bits 16 to 31 are not looked at. */
const LIBXL_RESERVED = 0xfffc
const IMAGE_RESERVED = 0xfffe

/** Undefined where it finds nothing wrong. */
type Rule = (bytes: Uint8Array, at: number) => XenVerdict | undefined

export const xlMagicRule: Rule = (bytes, at) => {
  for (let index = 0; index < XL_MAGIC_BYTES; index++) {
    if (bytes[at + index] !== xlMagic.charCodeAt(index)) return streamError('No xl header')
  }
  return undefined
}

export const libxlHeaderRule: Rule = (bytes, at) => {
  const ident = hex64(bytes, at)
  if (ident !== LIBXL_IDENT) {
    return streamError(`Bad image id: Expected ${LIBXL_IDENT}, got ${ident}`)
  }
  const version = readU32BigEndian(bytes, at + 8)
  if (version !== 2) return streamError(`Unknown image version: Expected 2, got ${version}`)
  const reserved = readU32BigEndian(bytes, at + 12) & LIBXL_RESERVED
  if (reserved === 0) return undefined
  return streamError(`Reserved bits set in image options field: ${hex(reserved)}`)
}

export const imageHeaderRule: Rule = (bytes, at) => {
  const marker = hex64(bytes, at)
  if (marker !== IMAGE_MARKER) {
    return streamError(`Bad image marker: Expected ${IMAGE_MARKER}, got ${marker}`)
  }
  const id = readU32BigEndian(bytes, at + 8)
  if (id !== IMAGE_ID) {
    return streamError(`Bad image id: Expected ${hex(IMAGE_ID)}, got ${hex(id)}`)
  }
  const version = readU32BigEndian(bytes, at + 12)
  if (version < 2 || version > 3) {
    return streamError(`Unknown image version: Expected 2 <= ver <= 3, got ${version}`)
  }
  const options = readU16BigEndian(bytes, at + 16) & IMAGE_RESERVED
  if (options !== 0) {
    return streamError(`Reserved bits set in image options field: ${hex(options)}`)
  }
  const [short, long] = [readU16BigEndian(bytes, at + 18), readU32BigEndian(bytes, at + 20)]
  if (short === 0 && long === 0) return undefined
  return streamError(`Reserved bits set in image header: ${hex(short, 4)}:${hex(long, 8)}`)
}

export const domainHeaderRule: Rule = (bytes, at) => {
  const type = readU32(bytes, at)
  if (type !== 1 && type !== 2) return streamError(`Unrecognised domain type ${hex(type)}`)
  const reserved = readU16(bytes, at + 6)
  if (reserved !== 0) return streamError(`Reserved bits set in domain header ${hex(reserved, 4)}`)
  const shift = readU16(bytes, at + 4)
  return shift === 12 ? undefined : streamError(`Page shift expected to be 12.  Got ${shift}`)
}

/** The first bytes of a body, as many of HEAD_BYTES as it has, lie at `at`. */
export type BodyRule = (
  bytes: Uint8Array,
  at: number,
  length: number,
  imageVersion: number,
) => XenVerdict | undefined

/** No rule looks at more of a body than this, but for PAGE_DATA's. */
export const HEAD_BYTES = 24

const empty =
  (name: string): BodyRule =>
  (_bytes, _at, length) =>
    length === 0 ? undefined : recordError(`${name} record with non-zero length`)

function vcpu(kind: string): BodyRule {
  return (bytes, at, length) => {
    if (length < 8) {
      return recordError(`X86_PV_VCPU_${kind} record length must be at least 8 bytes long`)
    }
    const reserved = readU32(bytes, at + 4)
    if (reserved === 0) return undefined
    return streamError(`Reserved bits set in x86_pv_vcpu_${kind} record ${hex(reserved, 4)}`)
  }
}

const pvInfo: BodyRule = (bytes, at, length) => {
  if (length !== 8) return recordError(`x86_pv_info: expected length of 8, got ${length}`)
  const [width, levels] = [bytes[at], bytes[at + 1]]
  if (width !== 4 && width !== 8) return recordError(`Expected width of 4 or 8, got ${width}`)
  if (levels !== 3 && levels !== 4) return recordError(`Expected levels of 3 or 4, got ${levels}`)
  const [short, long] = [readU16(bytes, at + 2), readU32(bytes, at + 4)]
  if (short === 0 && long === 0) return undefined
  return streamError(`Reserved bits set in X86_PV_INFO: ${hex(short, 4)} ${hex(long, 8)}`)
}

const p2mFrames: BodyRule = (_bytes, _at, length) => {
  if (length < 8) {
    return recordError('x86_pv_p2m_frames: record length must be at least 8 bytes long')
  }
  if (length % 8 === 0) return undefined
  return recordError(`Length expected to be a multiple of 8, not ${length}`)
}

/** It says 4906 where it means 4096. */
const sharedInfo: BodyRule = (_bytes, _at, length) =>
  length === 4096 ? undefined : recordError(`Length expected to be 4906 bytes, not ${length}`)

const tscInfo: BodyRule = (bytes, at, length) => {
  if (length !== 24) return recordError('Length should be 24 bytes')
  const reserved = readU32(bytes, at + 20)
  if (reserved === 0) return undefined
  return streamError(`Reserved bits set in X86_TSC_INFO: ${hex(reserved, 8)}`)
}

const hvmParams: BodyRule = (bytes, at, length) => {
  if (length < 8) return recordError('Length should be at least 8 bytes')
  const reserved = readU32(bytes, at + 4)
  if (reserved !== 0) return recordError(`Reserved field not zero (${hex(reserved, 4)})`)
  const due = 8 + 16 * readU32(bytes, at)
  return length === due ? undefined : recordError(`Length should be ${due} bytes`)
}

/** It says 'End' where it means 'Static data end'. */
const staticDataEnd: BodyRule = (bytes, at, length, imageVersion) => {
  const flaw = empty('End')(bytes, at, length, imageVersion)
  if (flaw !== undefined || imageVersion >= 3) return flaw
  return recordError('Static data end record found in v2 stream')
}

function policy(name: string, bytesEach: number): BodyRule {
  return (_bytes, _at, length, imageVersion) => {
    if (imageVersion < 3) return recordError(`x86 ${name} policy record found in v2 stream`)
    if (length > 0 && length % bytesEach === 0) return undefined
    return recordError(`Record length ${length}, expected multiple of ${bytesEach}`)
  }
}

function emulator(refusesData: boolean): BodyRule {
  return (bytes, at, length) => {
    if (length < 8) return recordError(`Length must be at least 8 bytes, got ${length}`)
    const id = readU32(bytes, at)
    if (id > 2) return recordError(`Unrecognised emulator id ${hex(id)}`)
    return refusesData && length > 8 ? recordError('Data not NUL terminated') : undefined
  }
}

/** The records that it knows, by type. PAGE_DATA, which it looks into, is in xen-verdict.ts. */
export const xenBodyRules: Readonly<Record<'libxl' | 'libxc', ReadonlyMap<number, BodyRule>>> = {
  libxl: new Map([
    [LIBXL.END.type, empty('End')],
    [LIBXL.LIBXC_CONTEXT.type, empty('Libxc context')],
    [LIBXL.EMULATOR_XENSTORE_DATA.type, emulator(true)],
    [LIBXL.EMULATOR_CONTEXT.type, emulator(false)],
    [LIBXL.CHECKPOINT_END.type, empty('Checkpoint end')],
    [
      LIBXL.CHECKPOINT_STATE.type,
      (_bytes, _at, length) =>
        length > 0 ? undefined : recordError('Checkpoint state record with zero length'),
    ],
  ]),
  libxc: new Map<number, BodyRule>([
    [LIBXC.END.type, empty('End')],
    [LIBXC.PAGE_DATA.type, () => undefined],
    [LIBXC.X86_PV_INFO.type, pvInfo],
    [LIBXC.X86_PV_P2M_FRAMES.type, p2mFrames],
    [LIBXC.X86_PV_VCPU_BASIC.type, vcpu('basic')],
    [LIBXC.X86_PV_VCPU_EXTENDED.type, vcpu('extended')],
    [LIBXC.X86_PV_VCPU_XSAVE.type, vcpu('xsave')],
    [LIBXC.SHARED_INFO.type, sharedInfo],
    [LIBXC.X86_TSC_INFO.type, tscInfo],
    [
      LIBXC.HVM_CONTEXT.type,
      (_bytes, _at, length) => (length > 0 ? undefined : recordError('Zero length HVM context')),
    ],
    [LIBXC.HVM_PARAMS.type, hvmParams],
    [
      LIBXC.TOOLSTACK.type,
      () => ({ exit: 2, message: 'DeprecationWarning: Found Toolstack record in stream' }),
    ],
    [LIBXC.X86_PV_VCPU_MSRS.type, vcpu('msrs')],
    [LIBXC.VERIFY.type, empty('Verify')],
    [LIBXC.CHECKPOINT.type, empty('Checkpoint')],
    [
      LIBXC.CHECKPOINT_DIRTY_PFN_LIST.type,
      () => recordError('Found checkpoint dirty pfn list record in stream'),
    ],
    [LIBXC.STATIC_DATA_END.type, staticDataEnd],
    [LIBXC.X86_CPUID_POLICY.type, policy('CPUID', 24)],
    [LIBXC.X86_MSR_POLICY.type, policy('MSR', 16)],
  ]),
}

/** What it says of the first of these words that it does not like; `first` is the number of word 0. */
export function flawOfWords(
  bytes: Uint8Array,
  at: number,
  count: number,
  first: number,
): XenVerdict | undefined {
  for (let index = 0; index < count; index++) {
    const word = at + index * PFN_WORD_BYTES
    const { badType, badBits } = judgeWord(bytes, word)
    const top = bytes[word + 7]
    const pfn = `pfn[${first + index}]`
    if (badBits) {
      const shown = (((top & 0xf) << 4) | (bytes[word + 6] >>> 4)).toString(16).padStart(3, '0')
      return recordError(`Reserved bits set in ${pfn}: 0x${shown}0000000000000`)
    }
    if (badType) {
      const shown = (top >>> 4).toString(16)
      return recordError(`Invalid type value in ${pfn}: 0x${shown}000000000000000`)
    }
  }
  return undefined
}
