// What QEMU refuses when it loads the state of a device, each in its words: a version, a value that must be
// what it is here, a subsection that belongs to somebody else.

import type { QemuStreamErrorCode } from '../file/qemu-stream-error.ts'
import type { IntegerType } from './vmstate-types.ts'
import type { VMStateDescription, VMStateField } from './vmstate.ts'

const EIO = -5
const EINVAL = -22

/** What QEMU's function would return, as its trace events say it. */
export const errnoOf = (code: QemuStreamErrorCode): number => (code === 'truncated' ? EIO : EINVAL)

export interface VersionRefusal {
  readonly reason: 'too new' | 'too old'
  readonly rule: string
}

export function versionRefusal(
  vmsd: VMStateDescription,
  version: number,
): VersionRefusal | undefined {
  const { name, version_id, minimum_version_id = 0 } = vmsd
  const incoming = `${name}: incoming version_id ${version} is too`
  if (version > version_id) {
    return { reason: 'too new', rule: `${incoming} new for local version_id ${version_id}` }
  }
  if (version >= minimum_version_id) return undefined
  const rule = `${incoming} old for local minimum version_id ${minimum_version_id}`
  return { reason: 'too old', rule }
}

/** Of `... equal` and `int32 le`, against the value here: nothing if there is none. */
export function valueRefusal(
  field: VMStateField,
  type: IntegerType,
  value: number | bigint,
  local: unknown,
): string | undefined {
  const known = typeof local === 'number' || typeof local === 'bigint' ? local : field.expected
  if (known === undefined) return undefined
  if (type.check === 'less-or-equal') {
    if (value >= 0 && value <= known) return undefined
    return `Invalid value ${value} expecting positive value <= ${known}`
  }
  if (BigInt(value) === BigInt(known)) return undefined
  const hint = field.err_hint === undefined ? '' : `: ${field.err_hint}`
  return `${hexOf(known, type.bytes)} != ${hexOf(value, type.bytes)}${hint}`
}

/** As QEMU prints it: without leading zeros, a negative one in two's complement. */
function hexOf(value: number | bigint, bytes: number): string {
  return BigInt.asUintN(8 * bytes, BigInt(value)).toString(16)
}

/** Why a subsection is not this description's but an outer one's: what the trace says of it. */
export function prefixRefusal(parent: string, name: string): [string, string] | undefined {
  if (name.length <= parent.length) return ['(short)', '']
  return name.startsWith(parent) ? undefined : [name, '(prefix)']
}
