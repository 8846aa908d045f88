// Descriptions of virtio fitted to the bytes that they are for: which subsections there are, and how many of the
// queues that a list has room for have anything but zeros. There are a thousand, mostly unused, and walking
// through zeros would take longer than all the rest.

import { vmstateType } from './vmstate-types.ts'
import type { VMStateDescription, VMStateField } from './vmstate.ts'

/** Every device has so many queues, used or not: what QEMU allots. */
export const QUEUES_MAX = 1024

export const SUBSECTION = 0x05
const VERSION_BYTES = 4

export interface Fitted {
  readonly vmsd: VMStateDescription
  /** Where it ends. */
  readonly end: number
}

/** The name of the subsection that begins here; '' if none does. */
export function nameAt(bytes: Uint8Array, at: number): string {
  if (bytes[at] !== SUBSECTION) return ''
  const start = at + 2
  return String.fromCharCode(...bytes.subarray(start, start + (bytes[at + 1] ?? 0)))
}

/** Of integers, bools, buffers of a size, and structs of them. */
function sizeOf({ type, count = 1, size = 1, vmsd }: VMStateField): number {
  const row = vmstateType(type)
  const one =
    row.kind === 'int' || row.kind === 'int64'
      ? row.bytes
      : (vmsd?.fields.reduce((sum, field) => sum + sizeOf(field), 0) ?? Number(size))
  return one * Number(count)
}

/**
 * A description whose fields have fixed sizes, for what lies at `at`. The first `queues` of each list of queues are
 * kept, and all up to the last that is not zero. Nothing if it does not lie there whole, or a version differs.
 */
export function fit(
  vmsd: VMStateDescription,
  bytes: Uint8Array,
  at: number,
  queues: number,
): Fitted | undefined {
  const fields: VMStateField[] = []
  let end = at
  for (const field of vmsd.fields) {
    const start = end
    end += sizeOf(field)
    if (end > bytes.length) return undefined
    if (field.count === QUEUES_MAX) fields.push(...used(field, bytes, start, end, queues))
    else if (field.vmsd === undefined) fields.push(field)
    else {
      const inner = fit(field.vmsd, bytes, start, queues)
      if (inner === undefined) return undefined
      fields.push({ ...field, vmsd: inner.vmsd })
      ;({ end } = inner)
    }
  }
  const subsections: VMStateDescription[] = []
  for (let name = nameAt(bytes, end); name !== ''; name = nameAt(bytes, end)) {
    const known = vmsd.subsections?.find((one) => one.name === name)
    if (known === undefined || subsections.some((one) => one.name === name)) break
    const behind = end + 2 + name.length + VERSION_BYTES
    if (!isVersion(bytes, behind, known.version_id)) return undefined
    const sub = fit(known, bytes, behind, queues)
    if (sub === undefined) return undefined
    subsections.push(sub.vmsd)
    ;({ end } = sub)
  }
  return { vmsd: { ...vmsd, fields, subsections }, end }
}

/** Whether the 4 bytes ahead say this version; those that there are fit one. */
function isVersion(bytes: Uint8Array, behind: number, version: number): boolean {
  const word = bytes.subarray(behind - VERSION_BYTES, behind)
  return word.length === VERSION_BYTES && word.every((byte, i) => byte === (i < 3 ? 0 : version))
}

/** A list of all queues as those that are kept, and the zeros behind them. */
function used(
  field: VMStateField,
  bytes: Uint8Array,
  start: number,
  end: number,
  queues: number,
): VMStateField[] {
  const size = (end - start) / QUEUES_MAX
  let last = end
  while (last > start && bytes[last - 1] === 0) last--
  const count = Math.max(queues, Math.ceil((last - start) / size))
  const zeros = { name: 'unused', type: 'unused_buffer', size: (QUEUES_MAX - count) * size }
  return [{ ...field, count }, zeros]
}
