// A stream's description, parsed once for both who need it: the walk, for the sizes of sections, and the decoder,
// for what is in them.

import {
  sizesOfParsed,
  type SizeOfDevice,
} from '../../formats/qemu/description/description-sizes.ts'
import type { VmDescription } from '../../formats/qemu/description/vmdesc.ts'
import { quickDescription } from '../../formats/qemu/description/vmdesc-quick.ts'

/** JSON of a QEMU is ASCII. */
const textOf = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

export class ParsedDescription {
  #parsed: unknown
  #offset = -1

  /** For the walk. Raises bad-description. */
  sizes(json: Uint8Array, offset: number): SizeOfDevice {
    return sizesOfParsed(() => this.#parse(json, offset), offset)
  }

  /** Raises bad-description. */
  async whole(json: Uint8Array, offset: number): Promise<VmDescription> {
    const quick = quickDescription(this.sizes(json, offset) && this.#parsed)
    if (quick !== undefined) return quick
    return (await import('../../formats/qemu/description/vmdesc.ts')).readVmDescription(
      json,
      offset,
    )
  }

  #parse(json: Uint8Array, offset: number): unknown {
    if (this.#offset !== offset) this.#parsed = JSON.parse(textOf(json))
    this.#offset = offset
    return this.#parsed
  }
}
