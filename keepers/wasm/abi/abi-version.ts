// Which version of the contract a module was written for: `colo_abi`, a constant global or a function that
// returns the number. Both are read off the module, so that a wrong one is refused before anything starts; a
// function that does more than return a constant tells its version when it is called at the start.

import { KIND } from '../../../formats/wasm/module-numbers.ts'
import { Cursor, I32_TYPE, type Sections } from '../../../formats/wasm/module-sections.ts'

export const GUEST_ABI = 1
/** Data never lies lower than this: a global that is so large is an address and no version. */
const ADDRESS_MIN = 256

const OP = {
  nop: 0x01,
  end: 0x0b,
  return: 0x0f,
  drop: 0x1a,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
} as const

/** What the instructions give if they only move constants about, as compilers write `return 1`; else undefined. */
function constantOf(cursor: Cursor): number | undefined {
  const stack: (number | undefined)[] = []
  const locals = new Map<number, number | undefined>()
  for (;;) {
    const opcode = cursor.byte()
    if (opcode === OP.end || opcode === OP.return) return stack.at(-1)
    if (opcode === OP.i32Const) stack.push(cursor.i32())
    else if (opcode === OP.localGet) stack.push(locals.get(cursor.leb()))
    else if (opcode === OP.localSet) locals.set(cursor.leb(), stack.pop())
    else if (opcode === OP.localTee) locals.set(cursor.leb(), stack.at(-1))
    else if (opcode === OP.drop) stack.pop()
    else if (opcode !== OP.nop) return undefined
  }
}

function resultOf(bytes: Uint8Array, { bodies, importedFunctions }: Sections, index: number) {
  const body = bodies.at(index - importedFunctions)
  if (index < importedFunctions || body === undefined) return undefined
  const cursor = new Cursor(bytes, body.start)
  for (let groups = cursor.leb(); groups > 0; groups--) {
    cursor.leb()
    cursor.valueType()
  }
  return constantOf(cursor)
}

export interface AbiFacts {
  readonly kind: 'function' | 'global'
  /** undefined: it is told when the guest starts. */
  readonly version: number | undefined
}

/** `colo_abi` of the module, or why there is none. */
export function readAbi(bytes: Uint8Array, found: Sections): AbiFacts | string {
  const missing = `it does not export colo_abi, a function that returns ${GUEST_ABI} (or an i32 global of that value)`
  const exported = found.exports.find(({ name }) => name === 'colo_abi')
  if (exported === undefined) return missing
  const { kind, index } = exported
  if (kind === KIND.function) return { kind: 'function', version: resultOf(bytes, found, index) }
  const global = kind === KIND.global ? found.globals.at(index) : undefined
  if (global === undefined || global.type !== I32_TYPE) return missing
  const { mutable, valueAt } = global
  const isConstant = !mutable && valueAt !== undefined
  const version = isConstant ? constantOf(new Cursor(bytes, valueAt)) : undefined
  return { kind: 'global', version }
}

/** Why a guest of this version is refused; undefined if it is not. */
export function abiRefusal(kind: AbiFacts['kind'], version: unknown): string | undefined {
  if (version === GUEST_ABI) return undefined
  if (kind === 'global' && typeof version === 'number' && version >= ADDRESS_MIN) {
    return (
      `its global colo_abi is ${version}, which is an address: compilers of C and Rust export where a ` +
      `variable lies and not what it holds; export a function colo_abi that returns ${GUEST_ABI} instead`
    )
  }
  return `its colo_abi is ${String(version)}, and this host speaks version ${GUEST_ABI} of the contract`
}
