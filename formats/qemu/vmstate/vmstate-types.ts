// The second of QEMU's layers needs to know what a field can be: one row for each VMStateInfo that QEMU
// 7.2 names, with how many bytes it has on the wire. Whatever has no row (`pci config`, `virtio`, a register
// of some processor) is opaque: bytes, delimited by the size that the field's description gives.

/** An integer or what lies on the wire like one, big-endian. Up to 4 bytes a number, 8 a bigint. */
export interface IntegerType {
  readonly kind: 'int' | 'int64'
  readonly bytes: 1 | 2 | 4 | 8
  readonly signed: boolean
  /** What a receiver checks: that it has the same value, or one that is not less. */
  readonly check?: 'equal' | 'less-or-equal'
}

export interface OtherType {
  readonly kind: 'bool' | 'bytes' | 'bitmap' | 'text' | 'null' | 'struct' | 'list' | 'tree'
}

export type VMStateType = IntegerType | OtherType

const int = (bytes: 1 | 2 | 4, signed: boolean, check?: IntegerType['check']): IntegerType =>
  check === undefined ? { kind: 'int', bytes, signed } : { kind: 'int', bytes, signed, check }

const int64 = (signed: boolean, check?: IntegerType['check']): IntegerType =>
  check === undefined
    ? { kind: 'int64', bytes: 8, signed }
    : { kind: 'int64', bytes: 8, signed, check }

/** By the names that QEMU's JSON description has for them; `nullptr` is written there as uint64. */
export const vmstateTypes = {
  bool: { kind: 'bool' },
  int8: int(1, true),
  int16: int(2, true),
  int32: int(4, true),
  int64: int64(true),
  uint8: int(1, false),
  uint16: int(2, false),
  uint32: int(4, false),
  uint64: int64(false),
  'uint8 equal': int(1, false, 'equal'),
  'uint16 equal': int(2, false, 'equal'),
  'int32 equal': int(4, true, 'equal'),
  'uint32 equal': int(4, false, 'equal'),
  // QEMU's name for the unsigned one; there is no other.
  'int64 equal': int64(false, 'equal'),
  // "Less or equal": on the wire it is big-endian as all are.
  'int32 le': int(4, true, 'less-or-equal'),
  // Narrower on the wire than the member that it fills.
  int32_as_uint16: int(2, false),
  uint16_from_uint8: int(1, false),
  // When it expires, in nanoseconds; -1: never.
  timer: int64(true),
  // The bits of a double, the upper half first.
  float64: int64(false),
  CPU_Double_U: int64(false),
  buffer: { kind: 'bytes' },
  unused_buffer: { kind: 'bytes' },
  bitmap: { kind: 'bitmap' },
  capability: { kind: 'text' },
  nullptr: { kind: 'null' },
  struct: { kind: 'struct' },
  vstruct: { kind: 'struct' },
  tmp: { kind: 'struct' },
  qtailq: { kind: 'list' },
  qlist: { kind: 'list' },
  gtree: { kind: 'tree' },
} as const satisfies Readonly<Record<string, VMStateType>>

export type VMStateTypeName = keyof typeof vmstateTypes

const opaqueType: VMStateType = { kind: 'bytes' }

const rows = new Map<string, VMStateType>(Object.entries(vmstateTypes))

/** The row of a name; opaque bytes if it has none. */
export function vmstateType(name: string): VMStateType {
  return rows.get(name) ?? opaqueType
}

export function isKnownType(name: string): name is VMStateTypeName {
  return rows.has(name)
}

/** What stands in the stream in place of an element that is a null pointer: '0'. */
export const NULL_POINTER_BYTE = 0x30
