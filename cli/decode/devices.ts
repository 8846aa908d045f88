// `--state`, `--desc` and `--compat`: the devices of a stream, through the description behind it or another's.

import { textOfBytes } from '../../shared/formats/qemu/description-sizes.ts'
import { QemuStreamError } from '../../shared/formats/qemu/qemu-stream-error.ts'
import { readVmDescription } from '../../shared/formats/qemu/vmdesc.ts'
import type { VMStateDescription } from '../../shared/formats/qemu/vmstate.ts'
import type { DecodeOptions } from '../decode.ts'
import { CliError } from '../exit-codes.ts'
import { compatDescription, compatState, type FindVmsd } from './compat.ts'
import { DeviceStates, type KeptSection } from './device-states.ts'
import { complain, descriptionOf } from './run.ts'
import { walk, type WalkSettings } from './walk.ts'

export function findIn(json: Uint8Array, offset: number): FindVmsd {
  const found = new Map<string, VMStateDescription[]>()
  for (const { name, instance_id, vmsd } of readVmDescription(json, offset).devices) {
    const key = `${instance_id} ${name}`
    const known = found.get(key)
    if (known === undefined) found.set(key, [vmsd])
    else known.push(vmsd)
  }
  return ({ idstr, instanceId }, occurrence) => found.get(`${instanceId} ${idstr}`)?.at(occurrence)
}

export function showDevices(path: string, options: DecodeOptions, settings: WalkSettings): void {
  const wanted = options.checkpoint === undefined ? undefined : [options.checkpoint]
  const states = new DeviceStates(options.desc ? [] : wanted)
  const walked = walk(path, states, settings)
  states.finish()
  try {
    if (options.desc) showDescription(path, options, states)
    else showState(options, states)
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    throw new CliError('broken', `${path}: ${error.message}`, { cause: error })
  }
  complain(path, walked)
}

function showDescription(path: string, options: DecodeOptions, states: DeviceStates): void {
  const json = options.descFrom === undefined ? states.json : descriptionOf(options.descFrom).json
  if (json === undefined) {
    throw new CliError('broken', `${path}: there is no description behind it (--desc-from FILE)`)
  }
  if (options.compat) process.stdout.write(compatDescription(json))
  else process.stdout.write(`${textOfBytes(json)}\n`)
}

function showState(options: DecodeOptions, states: DeviceStates): void {
  const other = options.descFrom === undefined ? undefined : descriptionOf(options.descFrom)
  const json = other?.json ?? states.json
  const find: FindVmsd =
    json === undefined ? () => undefined : findIn(json, other?.jsonOffset ?? states.jsonOffset)
  const sections = states.last?.sections ?? []
  const missing = ({ head, bytes }: KeptSection, reason: string) => {
    process.stderr.write(`colo: ${head.idstr}, ${bytes.length} bytes: ${reason}\n`)
    process.exitCode = 1
  }
  process.stdout.write(compatState(states, sections, find, missing))
}
