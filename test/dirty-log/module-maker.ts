// Makes up a whole module: memory of its own or imported, data of every kind, a few functions that call each
// other, globals of its own, a table, a tag, names.

import { F32, F64, I32, I64 } from '../../formats/wasm/operations.ts'
import type { Chance } from '../simulation/chance.ts'
import { BodyMaker, BODY_TYPE, POKE_TYPE } from './body-maker.ts'
import { bodyOf, bytesOf, ModuleWriter } from './module-writer.ts'

export interface MadeModule {
  readonly bytes: Uint8Array
  readonly functions: number
  readonly importsMemory: boolean
  /** WebAssembly pages. */
  readonly memory: { readonly min: number; readonly max: number | undefined }
  /** What the rewriter is told; undefined: nothing. */
  readonly maxMemoryBytes: number | undefined
  /** The value of the imported global at which data may lie. */
  readonly base: number
  /** Memory and mutable globals are all of its state: it drops no segments. */
  readonly isComplete: boolean
}

type Memory = MadeModule['memory']

function addMemory(writer: ModuleWriter, { min, max }: Memory, importsMemory: boolean): void {
  const section = importsMemory ? 'import' : 'memory'
  writer.add(section, (out) => {
    if (importsMemory) {
      out.name('env')
      out.name('memory')
      out.put(2)
    }
    out.put(max === undefined ? 0 : 1)
    out.u32(min)
    if (max !== undefined) out.u32(max)
  })
}

function addImports(writer: ModuleWriter): void {
  writer.add('import', (out) => {
    out.name('env')
    out.name('poke')
    out.put(0, POKE_TYPE)
  })
  writer.add('import', (out) => {
    out.name('env')
    out.name('base')
    out.put(3, I32, 0)
  })
}

function addTypes(writer: ModuleWriter): void {
  writer.add('type', (out) => out.put(0x60, 3, I32, I32, I64, 1, I64))
  writer.add('type', (out) => out.put(0x60, 2, I32, I32, 2, I32, I32))
  writer.add('type', (out) => out.put(0x60, 1, I32, 0))
  writer.add('type', (out) => out.put(0x60, 0, 0))
}

/** Where a segment goes: a constant, or the imported global; now and then beyond memory. */
function addData(writer: ModuleWriter, chance: Chance, pages: number): void {
  const kind = chance.below(10)
  const content = bytesOf((out) => {
    for (let n = 24 + chance.below(26); n > 0; n--) out.put(chance.below(256))
  })
  writer.add('data', (out) => {
    if (kind < 4) out.put(1)
    else if (kind < 8) {
      out.put(...chance.pick([[0], [2, 0]]), 0x41)
      out.i32(chance.happens(0.01) ? pages * 65536 - 10 : chance.below(pages * 65536 - 50))
      out.put(0x0b)
    } else out.put(0, 0x23, 0, 0x0b)
    out.sized(content)
  })
}

function addExport(writer: ModuleWriter, name: string, kind: number, index: number): void {
  writer.add('export', (out) => {
    out.name(name)
    out.put(kind)
    out.u32(index)
  })
}

/** Names of exported globals: among them one that the rewriter would choose for a hidden one. */
const GLOBAL_NAMES: readonly (string | undefined)[] = [
  undefined,
  undefined,
  'state',
  'colo_global_1',
]

const INITIAL_VALUES = new Map([
  [I32, [0x41, 5]],
  [I64, [0x42, 6]],
  [F32, [0x43, 0, 0, 0x80, 0x3f]],
  [F64, [0x44, 0, 0, 0, 0, 0, 0, 0, 0x40]],
])

/** Mutable globals, most of them hidden, behind the imported one. Gives their types. */
function addGlobals(writer: ModuleWriter, chance: Chance): number[] {
  const types: number[] = []
  for (let n = chance.below(5); n > 0; n--) {
    const [type, value] = chance.pick([...INITIAL_VALUES])
    writer.add('global', (out) => out.put(type, 1, ...value, 0x0b))
    types.push(type)
    const name = chance.pick(GLOBAL_NAMES)
    if (name !== undefined) addExport(writer, `${name}${n}`, 3, types.length)
  }
  return types
}

export function makeModule(chance: Chance): MadeModule {
  const writer = new ModuleWriter()
  const min = 1 + chance.below(3)
  const max = chance.pick([undefined, min, min + 1, min + 5, 5000, 65536])
  const importsMemory = chance.happens(0.3)
  const functions = 1 + chance.below(4)
  const segments = chance.below(4)
  const mayDrop = chance.happens(0.5)
  addTypes(writer)
  addImports(writer)
  addMemory(writer, { min, max }, importsMemory)
  for (let i = 0; i < segments; i++) addData(writer, chance, min)
  if (segments > 0) writer.add('dataCount', (out) => out.u32(segments))
  writer.add('table', (out) => out.put(0x70, 0, functions))
  writer.add('tag', (out) => out.put(0, 3))
  writer.add('element', (out) => {
    out.put(0, 0x41, 0, 0x0b, functions)
    for (let i = 0; i < functions; i++) out.put(1 + i)
  })
  const globals = addGlobals(writer, chance)
  for (let i = 0; i < functions; i++) {
    writer.add('function', (out) => out.put(BODY_TYPE))
    const world = { pages: min, callable: i, segments, mayDrop, globals }
    const code = new BodyMaker(chance, world).make()
    writer.add('code', (out) => out.copy(bodyOf(code)))
    addExport(writer, `f${i}`, 0, 1 + i)
  }
  if (!importsMemory) addExport(writer, 'memory', 2, 0)
  // A memory of its own must not meet this maximum before the plain twin meets its own one.
  const few = importsMemory ? (min + 3) * 65536 : undefined
  const maxMemoryBytes = chance.pick([undefined, few, 300 * 2 ** 20])
  const base = chance.happens(0.03) ? min * 65536 : chance.below(min * 65536 - 50)
  return {
    bytes: writer.bytes(),
    functions,
    importsMemory,
    memory: { min, max },
    maxMemoryBytes,
    base,
    isComplete: !mayDrop,
  }
}
