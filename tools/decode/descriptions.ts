// Where the descriptions of devices come from: behind the stream itself, or behind another one of the same
// machine, for streams that have none (checkpoints of COLO alone, postcopy, machines of before 2.3).

import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { transfer, type TransferOptions } from '../../formats/qemu/vmstate/transfer.ts'
import type { BinaryInputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import type { SectionHead } from '../../formats/qemu/stream/migration-sink.ts'
import type { OutputVisitor } from '../../formats/qemu/vmstate/visitor.ts'
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import { CliError } from '../../terminal/exit-codes.ts'
import { DeviceStates, type KeptSection } from './device-states.ts'
import { ParsedDescription } from './parsed-description.ts'
import { walk, type FoundDescription } from './walk.ts'

/** Of the n-th section of that name and instance, from 0; -1: the last that is described. */
export type FindVmsd = (
  head: Pick<SectionHead, 'idstr' | 'instanceId'>,
  occurrence: number,
) => VMStateDescription | undefined

/** The description behind a stream. Raises CliError if it has none. */
export async function descriptionOf(path: string): Promise<FoundDescription> {
  const states = new DeviceStates([])
  const { error, hint } = await walk(path, states)
  const { json, jsonOffset } = states
  if (json !== undefined) return { json, jsonOffset }
  const why = error === undefined ? 'there is none' : error.message
  throw new CliError('broken', `${path}: no description can be taken from it: ${why}${hint}`)
}

/** What finds a section's description: in that of another stream if there is one, else in this one's. */
export async function finderFor(
  states: DeviceStates,
  other: FoundDescription | undefined,
  own = new ParsedDescription(),
): Promise<FindVmsd> {
  const json = other?.json ?? states.json
  if (json === undefined) return () => undefined
  const found = new Map<string, VMStateDescription[]>()
  const parsed = other === undefined ? own : new ParsedDescription()
  const { devices } = await parsed.whole(json, other?.jsonOffset ?? states.jsonOffset)
  for (const { name, instance_id, vmsd } of devices) {
    const key = `${instance_id} ${name}`
    const known = found.get(key)
    if (known === undefined) found.set(key, [vmsd])
    else known.push(vmsd)
  }
  return ({ idstr, instanceId }, occurrence) => found.get(`${instanceId} ${idstr}`)?.at(occurrence)
}

/** Moves a section through its description, or as one buffer without one; says what does not fit. */
export function faultOf(
  { head, occurrence, bytes, bodyOffset }: KeptSection,
  find: FindVmsd,
  from: BinaryInputVisitor,
  to: OutputVisitor,
  options: TransferOptions = {},
): string | undefined {
  const known = find(head, occurrence)
  const data = [{ name: 'data', type: 'buffer', size: bytes.length }]
  const vmsd = known ?? { name: head.idstr, version_id: 0, fields: data }
  try {
    transfer(vmsd, from, to, options)
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    return `its description does not fit: ${error.message}`
  }
  if (known === undefined) return 'there is no description of it'
  const left = bodyOffset + bytes.length - from.offset
  return left === 0 ? undefined : `its description does not fit: ${left} bytes are left`
}
