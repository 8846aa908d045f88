// What a WebAssembly module must be to be protected, and why not if it is not. The engine runs any module, but
// a checkpoint must hold all of its state: linear memory and the mutable globals. So the binary itself is read:
// a mutable global that no host can read can't be captured, an import that the host does not give can't be
// linked, a memory that begins larger than what the pair was given can't be promised to the secondary. Everything
// that stands in the way is told at once, by name.

import { abiRefusal, type AbiFacts, readAbi } from './abi-version.ts'
import { hiddenGlobals } from '../../../formats/wasm/hidden-globals.ts'
import { KIND, WASM_PAGE_BYTES } from '../../../formats/wasm/module-numbers.ts'
import {
  isNumber,
  nameOfType,
  readSections,
  type Sections,
} from '../../../formats/wasm/module-sections.ts'

/** The functions of ABI version 1 (docs/guests.md). */
export const GUEST_EXPORTS = ['colo_buffer', 'colo_open', 'colo_input', 'colo_close'] as const
export const GUEST_OPTIONAL_EXPORTS = ['colo_start'] as const
export const GUEST_IMPORTS = [
  'colo.output',
  'colo.close',
  'colo.now',
  'colo.random',
  'env.abort',
  'env.memory',
] as const
/** One colo_input brings at most so many bytes; longer input comes in several calls. */
export const GUEST_INPUT_BYTES = 16384

const PLAIN_LIMITS = 1

export interface ModuleFacts {
  /** Names of the mutable globals as the module that runs exports them, sorted: the CPU state. */
  readonly globals: readonly string[]
  readonly importsMemory: boolean
  /** Bytes of memory that the module asks for at its start. */
  readonly memoryBytes: number
  readonly abi: AbiFacts
}

/**
 * What the pair must know of the module, or every reason why it can't be protected. `memoryBytesMax` is what
 * the guest was given (--memory). `bytes` must be a valid module: the engine judges that.
 */
export function inspectModule(
  bytes: Uint8Array,
  memoryBytesMax: number,
): ModuleFacts | { readonly reasons: readonly string[] } {
  let found: Sections
  try {
    found = readSections(bytes)
  } catch (error) {
    return { reasons: [`no WebAssembly module: ${(error as Error).message}`] }
  }
  const reasons: string[] = []
  for (const name of found.imports) {
    if ((GUEST_IMPORTS as readonly string[]).includes(name)) continue
    reasons.push(
      `it imports ${name}, which the host does not give (it gives ${GUEST_IMPORTS.join(', ')})`,
    )
  }
  for (const name of GUEST_EXPORTS) {
    if (!doesExport(found, name, KIND.function)) {
      reasons.push(`it does not export the function ${name}`)
    }
  }
  const abi = judgeAbi(bytes, found, reasons)
  const globals = judgeGlobals(found, reasons)
  const memoryBytes = judgeMemory(found, memoryBytesMax, reasons)
  if (reasons.length > 0) return { reasons }
  return { globals, importsMemory: found.importsMemory, memoryBytes, abi }
}

const doesExport = ({ exports }: Sections, wanted: string, kind: number): boolean =>
  exports.some((one) => one.name === wanted && one.kind === kind)

function judgeAbi(bytes: Uint8Array, found: Sections, reasons: string[]): AbiFacts {
  const abi = readAbi(bytes, found)
  if (typeof abi === 'string') {
    reasons.push(abi)
    return { kind: 'function', version: undefined }
  }
  const refusal = abi.version === undefined ? undefined : abiRefusal(abi.kind, abi.version)
  if (refusal !== undefined) reasons.push(refusal)
  return abi
}

function judgeGlobals({ globals, exports }: Sections, reasons: string[]): string[] {
  const names = new Map(hiddenGlobals(globals, exports).map(({ index, name }) => [index, name]))
  for (const { name, kind, index } of exports) if (kind === KIND.global) names.set(index, name)
  const captured: string[] = []
  globals.forEach(({ mutable, type, imported }, index) => {
    if (!mutable) return
    const name = names.get(index)
    const which = imported ?? name ?? `number ${index}`
    if (!isNumber(type)) {
      reasons.push(`its mutable global ${which} holds ${nameOfType(type)}, which no host can read`)
    } else if (name === undefined) {
      reasons.push(`its mutable global ${which} is imported and not exported: nobody could set it`)
    } else captured.push(name)
  })
  return captured.toSorted()
}

const inKiB = (pages: number): string => `${(pages * WASM_PAGE_BYTES) / 1024}KiB`

function judgeMemory(found: Sections, memoryBytesMax: number, reasons: string[]): number {
  const { memory, importsMemory } = found
  if (memory === undefined) {
    reasons.push('it has no memory')
    return 0
  }
  if (found.memories > 1) reasons.push(`it has ${found.memories} memories: a checkpoint holds one`)
  if (memory.flags > PLAIN_LIMITS) reasons.push('its memory is shared or 64-bit')
  const given = Math.floor(memoryBytesMax / WASM_PAGE_BYTES)
  const { min, max } = memory
  if (min > given) {
    reasons.push(
      `it needs ${inKiB(min)} of memory at its start, and --memory gives ${inKiB(given)}: ` +
        `give at least ${inKiB(min)}`,
    )
  }
  if (importsMemory && max !== undefined && max < given) {
    reasons.push(
      `it imports a memory of at most ${inKiB(max)}, and --memory gives ${inKiB(given)}: ` +
        `give ${inKiB(max)}, or compile it with a larger maximum or none`,
    )
  }
  if (!importsMemory && !doesExport(found, 'memory', KIND.memory)) {
    reasons.push('it neither imports its memory as env.memory nor exports it as memory')
  }
  return min * WASM_PAGE_BYTES
}
