// A decoder that others wrote, made from our module by Debian's asn1c: built once into dist/asn1c/ for each
// text of the module. It checks every constraint, and encodes again what it has read, as DER. Where asn1c or a
// C compiler is absent there is none, and the tests that need it say so.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../docs/documents.ts'

const BUILD_MS = 120_000
const DECODE_MS = 60_000
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
/** Debian's asn1c 0.9.28 defines variables in its headers, which gcc 10 and later link only with -fcommon. */
const C_FLAGS = 'CFLAGS+=-O1 -w -DPDU=QemuFile -fcommon -I.'

export interface Decoded {
  readonly isAccepted: boolean
  readonly message: string
}

export interface Decoder {
  /** Reads a whole file and checks the module's constraints. */
  decode(file: string): Decoded
  /** The same values in DER. */
  der(file: string): Uint8Array
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, timeout: BUILD_MS })
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${error ?? String(stderr)}`)
}

const isHere = (command: string, flag: string) => spawnSync(command, [flag]).error === undefined

function build(): string {
  const schema = readFileSync(join(ROOT, 'docs', 'specs', 'migration.schema'))
  const name = createHash('sha256').update(schema).digest('hex').slice(0, 16)
  const home = join(ROOT, 'dist', 'asn1c')
  const program = join(home, name)
  if (existsSync(program)) return program
  mkdirSync(home, { recursive: true })
  const folder = mkdtempSync(join(home, 'build-'))
  try {
    writeFileSync(join(folder, 'migration.schema'), schema)
    run('asn1c', ['-fcompound-names', 'migration.schema'], folder)
    run('make', ['-j2', '-f', 'Makefile.am.sample', C_FLAGS], folder)
    renameSync(join(folder, 'progname'), program)
  } finally {
    rmSync(folder, { recursive: true })
  }
  return program
}

/** Undefined where asn1c, make or a C compiler is missing. */
export function asn1cDecoder(): Decoder | undefined {
  if (!isHere('asn1c', '-h') || !isHere('make', '-v') || !isHere('cc', '--version'))
    return undefined
  const program = build()
  const ask = (args: readonly string[]) =>
    spawnSync(program, args, { timeout: DECODE_MS, maxBuffer: OUTPUT_BYTES_MAX })
  return {
    decode(file) {
      const { status, stderr } = ask(['-c', '-iber', '-onull', file])
      return { isAccepted: status === 0, message: String(stderr).trim() }
    },
    der(file) {
      const { status, stdout, stderr } = ask(['-iber', '-oder', file])
      if (status !== 0) throw new Error(`asn1c's decoder ended with ${status}: ${String(stderr)}`)
      return new Uint8Array(stdout)
    },
  }
}
