// Which device of the description a section is. Machines can have several of one name and instance, so sections
// are asked about in the order of their stream, each once.

import { Occurrences } from '../qemu/description/description-sizes.ts'
import { SECTION_FULL, type SectionHead } from '../qemu/stream/migration-sink.ts'
import { QemuStreamError } from '../qemu/file/qemu-stream-error.ts'
import { readVmDescription, type VmDescription, type VmDevice } from '../qemu/description/vmdesc.ts'

/** Real ones have at most some 150 KB; reading one takes many times its size in memory. */
const DESCRIPTION_BYTES_MAX = 16 * 1024 * 1024

/** The description that the JSON gives, or why it gives none. `offset`: where it begins, for that. */
export function readDescription(json: Uint8Array, offset: number): VmDescription | string {
  if (json.length > DESCRIPTION_BYTES_MAX) {
    return `a description of ${json.length} bytes, of which at most ${DESCRIPTION_BYTES_MAX} are read`
  }
  try {
    return readVmDescription(json, offset)
  } catch (error) {
    if (error instanceof QemuStreamError) return error.message
    throw error
  }
}

export class DescribedDevices {
  readonly #reason: string | undefined
  readonly #devices = new Map<string, VmDevice[]>()
  #seen = new Occurrences()

  /** `description`: or why there is none. */
  constructor(description: VmDescription | string) {
    this.#reason = typeof description === 'string' ? description : undefined
    if (typeof description === 'string') return
    for (const device of description.devices) {
      const key = `${device.instance_id} ${device.name}`
      const known = this.#devices.get(key)
      if (known === undefined) this.#devices.set(key, [device])
      else known.push(device)
    }
  }

  /** The same devices once more, from the first on: the next checkpoint's. */
  restart(): void {
    this.#seen = new Occurrences()
  }

  /** The device of the next section with a body, or why nothing describes its fields. */
  next({ type, idstr, instanceId }: SectionHead): VmDevice | string {
    if (type !== SECTION_FULL) return 'a live section: no description has it'
    const occurrence = this.#seen.next(idstr, instanceId)
    if (this.#reason !== undefined) return this.#reason
    const device = this.#devices.get(`${instanceId} ${idstr}`)?.[occurrence]
    if (device === undefined) return 'the description does not have it'
    return device.isOldStyle ? 'old-style: described as one buffer' : device
  }
}
