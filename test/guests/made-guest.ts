// Guests of a few instructions, put together by hand: every export of the contract is there, and a test changes
// the part that it is about.

import { KIND } from '../../formats/wasm/module-numbers.ts'
import { I32 } from '../../formats/wasm/operations.ts'
import { bodyOf, ModuleWriter } from '../dirty-log/module-writer.ts'

export const ANSWER_ADDRESS = 16

export interface GuestParts {
  /** The body of `colo_abi`, without its `end`. */
  readonly abi?: readonly number[]
  /** A global that is exported as `colo_abi` instead: its type, whether it is mutable, its value. */
  readonly abiGlobal?: readonly number[]
  readonly limits?: readonly number[]
  /** Globals, as the binary has them. */
  readonly globals?: readonly (readonly number[])[]
  /** Names of globals that are exported, by their index. */
  readonly exported?: Readonly<Record<number, string>>
  /** A function of the host that it wants: the names of its module and its own. */
  readonly imported?: readonly [string, string]
  /** The body of a start function. */
  readonly start?: readonly number[]
}

export function madeGuest({
  abi = [0, 0x41, 1],
  abiGlobal,
  limits = [0, 1],
  globals = [],
  exported = {},
  imported,
  start,
}: GuestParts = {}): Uint8Array {
  const writer = new ModuleWriter()
  const exportAs = (name: string, kind: number, index: number) =>
    writer.add('export', (out) => {
      out.sized(new Uint8Array(Buffer.from(name)))
      out.put(kind, index)
    })
  const importsCount = imported === undefined ? 0 : 1
  if (imported !== undefined) {
    const typeIndex = writer.add('type', (out) => out.put(0x60, 0, 0))
    writer.add('import', (out) => {
      for (const name of imported) out.name(name)
      out.put(KIND.function, typeIndex)
    })
  }
  const addFunction = (type: readonly number[], code: readonly number[], name?: string) => {
    const typeIndex = writer.add('type', (out) => out.put(0x60, ...type))
    const index = importsCount + writer.add('function', (out) => out.put(typeIndex))
    writer.add('code', (out) => out.copy(bodyOf(Uint8Array.of(...code, 0x0b))))
    if (name !== undefined) exportAs(name, 0, index)
    return index
  }
  addFunction([0, 1, I32], abi, abiGlobal === undefined ? 'colo_abi' : undefined)
  addFunction([1, I32, 1, I32], [0, 0x41, ANSWER_ADDRESS], 'colo_buffer')
  addFunction([1, I32, 0], [0], 'colo_open')
  addFunction([3, I32, I32, I32, 0], [0], 'colo_input')
  addFunction([1, I32, 0], [0], 'colo_close')
  writer.add('memory', (out) => out.put(...limits))
  exportAs('memory', 2, 0)
  for (const global of globals) writer.add('global', (out) => out.put(...global, 0x0b))
  for (const [index, name] of Object.entries(exported)) exportAs(name, 3, Number(index))
  if (abiGlobal !== undefined) {
    exportAs(
      'colo_abi',
      3,
      writer.add('global', (out) => out.put(...abiGlobal, 0x0b)),
    )
  }
  if (start !== undefined) {
    const index = addFunction([0, 0], start)
    writer.add('start', (out) => out.put(index))
  }
  return writer.bytes()
}
