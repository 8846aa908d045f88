// What a WebAssembly module must be to be protected, and why not if it is not. The engine runs any module, but
// a checkpoint must hold all of its state: linear memory and the mutable globals. So the binary itself is read:
// a mutable global that is not exported can't be captured, an import that the host does not give can't be
// linked, a memory that may outgrow what the pair was given can't be promised to the secondary. Everything
// that stands in the way is told at once, by name.

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
export const GUEST_ABI = 1
/** One colo_input brings at most so many bytes; longer input comes in several calls. */
export const GUEST_INPUT_BYTES = 16384

const WASM_PAGE_BYTES = 65536
/** f64, f32, i64, i32: what a host can read and write as bits. */
const NUMBERS: readonly number[] = [0x7c, 0x7d, 0x7e, 0x7f]
const PLAIN_LIMITS = 1

export interface ModuleFacts {
  /** Names of the exported mutable globals, sorted: the CPU state. */
  readonly globals: readonly string[]
  readonly importsMemory: boolean
  /** Bytes of memory that the module asks for at its start. */
  readonly memoryBytes: number
}

interface Limits {
  readonly flags: number
  readonly min: number
  readonly max: number | undefined
}

class Cursor {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new RangeError('the module ends within a section')
    return this.bytes[this.at++]
  }

  leb(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
      if (shift > 63) throw new RangeError('a number longer than 64 bits')
    }
  }

  name(): string {
    const length = this.leb()
    let text = ''
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.byte())
    return text
  }

  limits(): Limits {
    const flags = this.byte()
    const min = this.leb()
    return { flags, min, max: flags & 1 ? this.leb() : undefined }
  }

  /** Skips the constant expression that a global begins with. */
  skipExpression(): void {
    for (;;) {
      const opcode = this.byte()
      if (opcode === 0x0b) return
      if (opcode === 0x43) this.at += 4
      else if (opcode === 0x44) this.at += 8
      else if (opcode === 0xfd) this.at += this.leb() >= 0 ? 16 : 0
      else if (opcode === 0xfb) this.leb()
      else if (opcode < 0x6a || opcode > 0x7e) this.leb()
    }
  }
}

interface GlobalFacts {
  readonly mutable: boolean
  readonly type: number
  readonly imported: string | undefined
}

interface Sections {
  readonly imports: string[]
  readonly globals: GlobalFacts[]
  readonly exports: Map<string, { kind: number; index: number }>
  memories: number
  memory: Limits | undefined
  importsMemory: boolean
}

function readImports(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    const name = `${cursor.name()}.${cursor.name()}`
    const kind = cursor.byte()
    found.imports.push(name)
    if (kind === 0) cursor.leb()
    else if (kind === 1) {
      cursor.byte()
      cursor.limits()
    } else if (kind === 2) {
      found.memory = cursor.limits()
      found.memories++
      found.importsMemory = true
    } else if (kind === 3) {
      const type = cursor.byte()
      found.globals.push({ type, mutable: cursor.byte() === 1, imported: name })
    } else cursor.leb()
  }
}

function readMemories(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    found.memory = cursor.limits()
    found.memories++
  }
}

function readGlobals(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    const type = cursor.byte()
    found.globals.push({ type, mutable: cursor.byte() === 1, imported: undefined })
    cursor.skipExpression()
  }
}

function readExports(cursor: Cursor, found: Sections): void {
  for (let n = cursor.leb(); n > 0; n--) {
    const name = cursor.name()
    const kind = cursor.byte()
    found.exports.set(name, { kind, index: cursor.leb() })
  }
}

function readSections(bytes: Uint8Array): Sections {
  const found: Sections = {
    imports: [],
    globals: [],
    exports: new Map(),
    memories: 0,
    memory: undefined,
    importsMemory: false,
  }
  const cursor = new Cursor(bytes, 8)
  while (cursor.at < bytes.length) {
    const id = cursor.byte()
    const length = cursor.leb()
    const section = new Cursor(bytes, cursor.at)
    if (id === 2) readImports(section, found)
    if (id === 5) readMemories(section, found)
    if (id === 6) readGlobals(section, found)
    if (id === 7) readExports(section, found)
    cursor.at += length
  }
  return found
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
    if (found.exports.get(name)?.kind !== 0) reasons.push(`it does not export the function ${name}`)
  }
  if (found.exports.get('colo_abi')?.kind !== 3) {
    reasons.push(`it does not export the global colo_abi (an i32 of ${GUEST_ABI})`)
  }
  const globals = judgeGlobals(found, reasons)
  const memoryBytes = judgeMemory(found, memoryBytesMax, reasons)
  if (reasons.length > 0) return { reasons }
  return { globals, importsMemory: found.importsMemory, memoryBytes }
}

function judgeGlobals(found: Sections, reasons: string[]): string[] {
  const names = new Map<number, string>()
  for (const [name, { kind, index }] of found.exports) if (kind === 3) names.set(index, name)
  const captured: string[] = []
  found.globals.forEach((global, index) => {
    if (!global.mutable) return
    const name = names.get(index)
    if (name === undefined) {
      const which = global.imported ?? `number ${index}`
      reasons.push(`its mutable global ${which} is not exported, so its state can't be captured`)
    } else if (!NUMBERS.includes(global.type)) {
      reasons.push(`its mutable global ${name} is no number, so its value can't be sent`)
    } else {
      captured.push(name)
    }
  })
  return captured.toSorted()
}

function judgeMemory(found: Sections, memoryBytesMax: number, reasons: string[]): number {
  const { memory, importsMemory, exports } = found
  if (memory === undefined) {
    reasons.push('it has no memory')
    return 0
  }
  if (found.memories > 1) reasons.push(`it has ${found.memories} memories: a checkpoint holds one`)
  if (memory.flags > PLAIN_LIMITS) reasons.push('its memory is shared or 64-bit')
  const given = Math.floor(memoryBytesMax / WASM_PAGE_BYTES)
  if (memory.min > given) {
    reasons.push(
      `it needs ${memory.min} WebAssembly pages of memory at its start, --memory gives ${given}`,
    )
  }
  if (importsMemory) {
    if (memory.max !== undefined && memory.max < given) {
      reasons.push(
        `it takes at most ${memory.max} WebAssembly pages of memory, --memory gives ${given}`,
      )
    }
  } else {
    if (exports.get('memory')?.kind !== 2) reasons.push('it neither imports nor exports its memory')
    if (memory.max === undefined || memory.max > given) {
      const may = memory.max ?? 'without limit'
      reasons.push(`its memory may grow to ${may} WebAssembly pages, --memory gives ${given}`)
    }
  }
  return memory.min * WASM_PAGE_BYTES
}
