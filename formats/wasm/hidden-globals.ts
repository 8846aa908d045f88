// The mutable globals that a module keeps to itself: a C compiler's stack pointer, the heap of AssemblyScript. A
// checkpoint must hold them and a host reads exported globals only, so the module that runs exports them too.
// Their names follow from the module alone, so that both sides and a later start find the same ones.

import { KIND } from './module-numbers.ts'
import { type ExportFacts, type GlobalFacts, isNumber } from './module-sections.ts'

export interface HiddenGlobal {
  readonly index: number
  /** The name it is exported by. */
  readonly name: string
}

const PREFIX = 'colo_global_'

/** One that none of the module's own exports begins with. */
function freePrefix(exports: readonly ExportFacts[]): string {
  let prefix = PREFIX
  while (exports.some(({ name }) => name.startsWith(prefix))) prefix += '_'
  return prefix
}

/** Those that can be exported and read: numbers that the module has made itself. */
export function hiddenGlobals(
  globals: readonly Pick<GlobalFacts, 'mutable' | 'type' | 'imported'>[],
  exports: readonly ExportFacts[],
): HiddenGlobal[] {
  const shown = new Set(exports.flatMap(({ kind, index }) => (kind === KIND.global ? [index] : [])))
  const prefix = freePrefix(exports)
  return globals.flatMap(({ mutable, type, imported }, index) =>
    mutable && imported === undefined && isNumber(type) && !shown.has(index)
      ? [{ index, name: `${prefix}${index}` }]
      : [],
  )
}
