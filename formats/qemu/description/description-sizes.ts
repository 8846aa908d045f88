// How many bytes each device of a stream takes, by the JSON description that QEMU appends: enough to find where
// the sections of one stream end, without decoding any. Keys that repeat do not matter here, since the sizes of
// what repeats stand on the field around it; so the language's own parser does, and it is quick.

import { QemuStreamError } from '../file/qemu-stream-error.ts'

/**
 * The size in bytes of a device's section body, or undefined if the description does not have the device. A
 * machine can have several of one name and instance (`isapc` has two `isa-ide` 0): `occurrence` counts them,
 * from 0, in the order of the stream, which is that of the description.
 */
export type SizeOfDevice = (
  idstr: string,
  instanceId: number,
  occurrence: number,
) => number | undefined

interface Body {
  readonly fields?: readonly Field[]
  readonly subsections?: readonly (Body & { readonly vmsd_name?: string })[]
}

interface Field {
  readonly size?: number
  readonly array_len?: number
}

interface Device extends Body {
  readonly name?: string
  readonly instance_id?: number
}

/** What of a subsection is not its name or its body: item byte, length of the name, version. */
const SUBSECTION_HEAD_BYTES = 6

const CHARACTERS_AT_ONCE = 8192

/** Each byte a character: JSON from QEMU is ASCII. */
export function textOfBytes(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHARACTERS_AT_ONCE) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHARACTERS_AT_ONCE))
  }
  return text
}

function sizeOfBody(body: Body): number {
  let size = 0
  for (const field of body.fields ?? []) size += (field.size ?? 0) * (field.array_len ?? 1)
  for (const subsection of body.subsections ?? []) {
    const nameBytes = subsection.vmsd_name?.length ?? 0
    size += SUBSECTION_HEAD_BYTES + nameBytes + sizeOfBody(subsection)
  }
  return size
}

/** Raises bad-description. `offset` is that of the JSON, for errors. */
export function sizesOfDevices(json: Uint8Array, offset: number): SizeOfDevice {
  return sizesOfParsed(() => JSON.parse(textOfBytes(json)), offset)
}

/** The same, of a description that `parse` gives or throws at. */
export function sizesOfParsed(parse: () => unknown, offset: number): SizeOfDevice {
  const sizes = new Map<string, number[]>()
  try {
    const { devices = [] } = parse() as { devices?: readonly Device[] }
    for (const device of devices) {
      const key = `${device.instance_id} ${device.name}`
      const size = sizeOfBody(device)
      // Of a damaged description: a size that leads nowhere.
      const length = Number.isSafeInteger(size) && size >= 0 ? size : Number.MAX_SAFE_INTEGER
      const known = sizes.get(key)
      if (known === undefined) sizes.set(key, [length])
      else known.push(length)
    }
  } catch {
    throw new QemuStreamError('bad-description', offset, 'description', 'it is no JSON of QEMU')
  }
  return (idstr, instanceId, occurrence) => sizes.get(`${instanceId} ${idstr}`)?.[occurrence]
}

/** Counts sections of the same name and instance, in the order of a stream. */
export class Occurrences {
  readonly #seen = new Map<string, number>()

  /** Of this one: how many there were before it. */
  next(idstr: string, instanceId: number): number {
    const key = `${instanceId} ${idstr}`
    const before = this.#seen.get(key) ?? 0
    this.#seen.set(key, before + 1)
    return before
  }
}
