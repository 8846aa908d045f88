// Puts a module together from its parts, for modules that tests make up: each part is the bytes of one entry,
// and a section is there if it has entries.

import { ByteWriter } from '../../formats/wasm/byte-writer.ts'
import { SECTION, SECTION_ORDER } from '../../formats/wasm/module-numbers.ts'

export type SectionName = Exclude<keyof typeof SECTION, 'custom'>

/** The bytes that `write` puts. */
export function bytesOf(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(64)
  write(out)
  return out.written.slice()
}

/** A function's body with its size. */
export const bodyOf = (code: Uint8Array): Uint8Array => bytesOf((out) => out.sized(code))

/** Not vectors: what stands in them is one number. */
const SINGLE: readonly SectionName[] = ['start', 'dataCount']

export class ModuleWriter {
  readonly #entries = new Map<SectionName, Uint8Array[]>()
  readonly #custom: Uint8Array[] = []

  /** Adds an entry and gives its index within its section. */
  add(section: SectionName, write: (out: ByteWriter) => void): number {
    const entries = this.#entries.get(section) ?? []
    this.#entries.set(section, entries)
    return entries.push(bytesOf(write)) - 1
  }

  /** A custom section, behind all others. */
  addCustom(name: string, content: Uint8Array): void {
    const section = (out: ByteWriter) => {
      out.name(name)
      out.copy(content)
    }
    this.#custom.push(bytesOf(section))
  }

  bytes(): Uint8Array {
    return bytesOf((out) => {
      out.put(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
      for (const id of SECTION_ORDER) {
        const name = (Object.keys(SECTION) as SectionName[]).find((one) => SECTION[one] === id)
        const entries = name && this.#entries.get(name)
        if (name === undefined || entries === undefined) continue
        out.put(id)
        const content = (section: ByteWriter) => {
          if (!SINGLE.includes(name)) section.u32(entries.length)
          for (const entry of entries) section.copy(entry)
        }
        out.sized(bytesOf(content))
      }
      for (const content of this.#custom) {
        out.put(0)
        out.sized(content)
      }
    })
  }
}
