// The headers that open a stream and the image inside it. The libxl and the image header are
// big-endian whatever the stream is, the domain header has the stream's endianness, an xl file's is
// its host's. Reserved fields and option bits are written as zero and not looked at.

import {
  readU16,
  readU16BigEndian,
  readU32,
  readU32BigEndian,
  viewOf,
} from '../bytes/byte-order.ts'
import type { Guest, Place } from './record-spec.ts'
import type { StreamErrorCode } from './stream-error.ts'

export const XL_HEADER_BYTES = 48
export const LIBXL_HEADER_BYTES = 16
export const IMAGE_HEADER_BYTES = 24
export const DOMAIN_HEADER_BYTES = 16

export interface XlHeader {
  readonly kind: 'xl'
  /** Whether a libxl stream follows; an image does if not. */
  readonly libxlFollows: boolean
  /** Bytes of optional data between this header and the stream. */
  readonly optionalBytes: number
}
export interface LibxlHeader {
  readonly kind: 'libxl'
  readonly version: number
  /** Converted from a stream of before Xen 4.6. */
  readonly legacy: boolean
  readonly bigEndian: boolean
}
export interface ImageHeader {
  readonly kind: 'image'
  readonly version: number
  readonly bigEndian: boolean
}
export interface DomainHeader {
  readonly kind: 'domain'
  readonly guest: Guest
  /** 0 when the stream was converted from a legacy one. */
  readonly xenMajor: number
  readonly xenMinor: number
}
export type StreamHeader = XlHeader | LibxlHeader | ImageHeader | DomainHeader

/** Why a header is refused; `at` is the offending field's offset in it. */
export interface HeaderFlaw {
  readonly kind: 'flaw'
  readonly code: StreamErrorCode
  readonly at: number
  readonly rule: string
}

const xlMagic = 'Xen saved domain, xl format\n \0 \r'
const XL_BYTE_ORDER = 0x01020304
const XL_STREAM_V2 = 0x2
const XL_MANDATORY_KNOWN = 0x3
const identHigh = 0x4c696278
const identLow = 0x6c466d74
const LIBXL_VERSION = 2
const IMAGE_ID = 0x58454e46
const IMAGE_VERSION = 3
const IMAGE_VERSION_LOWEST = 2
const PAGE_SHIFT = 12
const BIG_ENDIAN = 0x1
const LEGACY = 0x2
const guests: readonly (Guest | undefined)[] = [undefined, 'pv', 'hvm']

function flaw(code: StreamErrorCode, at: number, rule: string): HeaderFlaw {
  return { kind: 'flaw', code, at, rule }
}

/**
 * The 48 bytes that xl puts ahead of a saved stream: magic, byte order, flags, length of optional
 * data.
 */
export function decodeXlHeader(bytes: Uint8Array, at: number): XlHeader | HeaderFlaw {
  for (let index = 0; index < xlMagic.length; index++) {
    if (bytes[at + index] === xlMagic.charCodeAt(index)) continue
    return flaw('bad-magic', index, `an xl file starts with '${xlMagic.slice(0, 27)}'`)
  }
  if (readU32(bytes, at + 32) !== XL_BYTE_ORDER) {
    return flaw('unsupported', 32, 'the byte order must be little-endian, 0x01020304')
  }
  const mandatory = readU32(bytes, at + 36)
  if ((mandatory & ~XL_MANDATORY_KNOWN) !== 0) {
    return flaw('unsupported', 36, `mandatory flags 0x${mandatory.toString(16)} are not all known`)
  }
  const libxlFollows = (mandatory & XL_STREAM_V2) !== 0
  return { kind: 'xl', libxlFollows, optionalBytes: readU32(bytes, at + 44) }
}

/** Big-endian streams are legal, and refused unless they are asked for: Xen on x86 has none. */
export function decodeLibxlHeader(
  bytes: Uint8Array,
  at: number,
  bigEndianToo = false,
): LibxlHeader | HeaderFlaw {
  const high = readU32BigEndian(bytes, at)
  if (high !== identHigh || readU32BigEndian(bytes, at + 4) !== identLow) {
    return flaw('bad-magic', 0, "the ident must be 'LibxlFmt' (2, header)")
  }
  const version = readU32BigEndian(bytes, at + 8)
  if (version !== LIBXL_VERSION) return flaw('bad-version', 8, 'the version must be 2 (2, header)')
  const options = readU32BigEndian(bytes, at + 12)
  const bigEndian = (options & BIG_ENDIAN) !== 0
  if (bigEndian && !bigEndianToo) {
    return flaw('unsupported', 12, 'big-endian streams are not read (2, header)')
  }
  return { kind: 'libxl', version, legacy: (options & LEGACY) !== 0, bigEndian }
}

/** As with decodeLibxlHeader, `bigEndianToo` lets big-endian images pass. */
export function decodeImageHeader(
  bytes: Uint8Array,
  at: number,
  bigEndianToo = false,
): ImageHeader | HeaderFlaw {
  for (let index = 0; index < 8; index++) {
    if (bytes[at + index] !== 0xff) {
      return flaw('bad-magic', index, 'the marker must be 64 one bits (3, image header)')
    }
  }
  if (readU32BigEndian(bytes, at + 8) !== IMAGE_ID) {
    return flaw('bad-magic', 8, "the id must be 'XENF' (3, image header)")
  }
  const version = readU32BigEndian(bytes, at + 12)
  if (version < IMAGE_VERSION_LOWEST || version > IMAGE_VERSION) {
    return flaw('bad-version', 12, 'the version must be 2 or 3 (3, image header)')
  }
  const bigEndian = (readU16BigEndian(bytes, at + 16) & BIG_ENDIAN) !== 0
  if (bigEndian && !bigEndianToo) {
    return flaw('unsupported', 16, 'big-endian images are not read (3, image header)')
  }
  return { kind: 'image', version, bigEndian }
}

export function decodeDomainHeader(bytes: Uint8Array, at: number): DomainHeader | HeaderFlaw {
  const guest = guests[readU32(bytes, at)]
  if (guest === undefined) {
    return flaw('bad-header', 0, 'the type must be 1 (PV) or 2 (HVM) (3, domain header)')
  }
  if (readU16(bytes, at + 4) !== PAGE_SHIFT) {
    return flaw('bad-header', 4, 'page_shift must be 12 (3, domain header)')
  }
  const xenMajor = readU32(bytes, at + 8)
  return { kind: 'domain', guest, xenMajor, xenMinor: readU32(bytes, at + 12) }
}

/** 16 bytes: LibxlFmt, version 2, little-endian. */
export function encodeLibxlHeader(): Uint8Array {
  const bytes = new Uint8Array(LIBXL_HEADER_BYTES)
  const view = viewOf(bytes)
  view.setUint32(0, identHigh)
  view.setUint32(4, identLow)
  view.setUint32(8, LIBXL_VERSION)
  return bytes
}

/** 24 bytes: marker, XENF, version 3, little-endian. */
export function encodeImageHeader(version = IMAGE_VERSION): Uint8Array {
  const bytes = new Uint8Array(IMAGE_HEADER_BYTES).fill(0xff, 0, 8)
  const view = viewOf(bytes)
  view.setUint32(8, IMAGE_ID)
  view.setUint32(12, version)
  return bytes
}

/** 16 bytes: guest type, 4 KiB pages, and the version of Xen that wrote the stream. */
export function encodeDomainHeader(guest: Guest = 'hvm', xenMajor = 4, xenMinor = 17): Uint8Array {
  const bytes = new Uint8Array(DOMAIN_HEADER_BYTES)
  const view = viewOf(bytes)
  view.setUint32(0, guests.indexOf(guest), true)
  view.setUint16(4, PAGE_SHIFT, true)
  view.setUint32(8, xenMajor, true)
  view.setUint32(12, xenMinor, true)
  return bytes
}

/** What xl puts ahead of a libxl stream in a save file, with no optional data: 48 bytes. */
export function encodeXlHeader(): Uint8Array {
  const bytes = new Uint8Array(XL_HEADER_BYTES)
  bytes.set(Uint8Array.from(xlMagic, (char) => char.charCodeAt(0)))
  const view = viewOf(bytes)
  view.setUint32(32, XL_BYTE_ORDER, true)
  view.setUint32(36, XL_MANDATORY_KNOWN, true)
  return bytes
}

type Decode = (bytes: Uint8Array, at: number, bigEndianToo?: boolean) => StreamHeader | HeaderFlaw

/** The places of a stream where a header is due: its size in bytes and its decoder. */
export const headersByPlace: {
  readonly [At in Place]?: { readonly bytes: number; readonly decode: Decode }
} = {
  'xl header': { bytes: XL_HEADER_BYTES, decode: decodeXlHeader },
  'libxl header': { bytes: LIBXL_HEADER_BYTES, decode: decodeLibxlHeader },
  'image header': { bytes: IMAGE_HEADER_BYTES, decode: decodeImageHeader },
  'domain header': { bytes: DOMAIN_HEADER_BYTES, decode: decodeDomainHeader },
}
