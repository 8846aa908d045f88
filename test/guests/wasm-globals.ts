// Reads the globals of a WebAssembly binary, since the JavaScript interface tells of exported ones only: a
// mutable global that is not exported is state that no checkpoint holds. Knows as much of the format as is
// needed to walk over the import, global and export sections.

const IMPORT_SECTION = 2
const GLOBAL_SECTION = 6
const EXPORT_SECTION = 7
const GLOBAL_KIND = 3

class Bytes {
  at = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    const value = this.bytes[this.at++]
    if (value === undefined) throw new Error('the binary ends too early')
    return value
  }

  leb(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }

  skip(count: number): void {
    this.at += count
  }

  part(length: number): Bytes {
    const part = new Bytes(this.bytes.subarray(this.at, this.at + length))
    this.at += length
    return part
  }
}

function skipLimits(bytes: Bytes): void {
  const hasMaximum = (bytes.leb() & 1) === 1
  bytes.leb()
  if (hasMaximum) bytes.leb()
}

/** Adds for each imported global whether it is mutable. */
function readImports(bytes: Bytes, mutable: boolean[]): void {
  for (let count = bytes.leb(); count > 0; count--) {
    bytes.skip(bytes.leb())
    bytes.skip(bytes.leb())
    const kind = bytes.byte()
    if (kind === 0) bytes.leb()
    else if (kind === 1) {
      bytes.byte()
      skipLimits(bytes)
    } else if (kind === 2) skipLimits(bytes)
    else if (kind === GLOBAL_KIND) {
      bytes.byte()
      mutable.push(bytes.byte() === 1)
    } else throw new Error(`unknown kind of import: ${kind}`)
  }
}

function skipExpression(bytes: Bytes): void {
  for (let opcode = bytes.byte(); opcode !== 0x0b; opcode = bytes.byte()) {
    if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23 || opcode === 0xd2) bytes.leb()
    else if (opcode === 0x43) bytes.skip(4)
    else if (opcode === 0x44) bytes.skip(8)
    else if (opcode === 0xd0) bytes.byte()
    else throw new Error(`unknown opcode in an initial value: ${opcode}`)
  }
}

function readGlobals(bytes: Bytes, mutable: boolean[]): void {
  for (let count = bytes.leb(); count > 0; count--) {
    bytes.byte()
    mutable.push(bytes.byte() === 1)
    skipExpression(bytes)
  }
}

function readExportedGlobals(bytes: Bytes): Set<number> {
  const exported = new Set<number>()
  for (let count = bytes.leb(); count > 0; count--) {
    bytes.skip(bytes.leb())
    const kind = bytes.byte()
    const index = bytes.leb()
    if (kind === GLOBAL_KIND) exported.add(index)
  }
  return exported
}

/** The indices of the mutable globals that are not exported. */
export function hiddenMutableGlobals(binary: Uint8Array): number[] {
  const bytes = new Bytes(binary)
  bytes.skip(8)
  const mutable: boolean[] = []
  let exported = new Set<number>()
  while (!bytes.isAtEnd) {
    const id = bytes.byte()
    const section = bytes.part(bytes.leb())
    if (id === IMPORT_SECTION) readImports(section, mutable)
    else if (id === GLOBAL_SECTION) readGlobals(section, mutable)
    else if (id === EXPORT_SECTION) exported = readExportedGlobals(section)
  }
  return mutable.flatMap((isMutable, index) => (isMutable && !exported.has(index) ? [index] : []))
}
