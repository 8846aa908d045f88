// A stream's description, parsed once for both who need it: the walk, for the sizes of sections, and the decoder,
// for what is in them.

import { sizesOfParsed, type SizeOfDevice } from '../../shared/formats/qemu/description-sizes.ts'
import type { VmDescription } from '../../shared/formats/qemu/vmdesc.ts'
import { quickDescription } from '../../shared/formats/qemu/vmdesc-quick.ts'

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
    return (await import('../../shared/formats/qemu/vmdesc.ts')).readVmDescription(json, offset)
  }

  #parse(json: Uint8Array, offset: number): unknown {
    if (this.#offset !== offset) this.#parsed = JSON.parse(textOf(json))
    this.#offset = offset
    return this.#parsed
  }
}
