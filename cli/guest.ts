// `colo guest inspect` and `colo guest rewrite`: what a module is and whether a pair can protect it, before a
// pair is started; and the module with its dirty log, as a daemon would make it.

import { statSync } from 'node:fs'
import { Option, type Command } from 'commander'
import {
  describeModule,
  type ModuleDescription,
  type ModuleParts,
} from '../keepers/wasm/dirty-log/description.ts'
import { addDirtyLog, isRewritten } from '../keepers/wasm/dirty-log/rewrite.ts'
import { WebAssembly } from '../shared/memory/webassembly.ts'
import { argument } from './daemon-options.ts'
import { FdSource } from '../tools/input/fd-source.ts'
import { CliError } from '../terminal/exit-codes.ts'
import { plainText } from '../terminal/plain-text.ts'
import { teach } from '../terminal/help.ts'
import { OutputFile } from '../tools/input/output-file.ts'
import { formatOption, type FormatOptions } from './status.ts'
import { sayAside } from '../terminal/standard-streams.ts'
import { hintFor, KIND_BYTES } from '../tools/input/stream-kind.ts'
import { parseSize, showBytes } from '../terminal/units.ts'

const MEMORY_BYTES = 64 * 1024 * 1024
const MODULE_BYTES_MAX = 256 * 1024 * 1024
const PIECE_BYTES = 256 * 1024

interface MemoryOption {
  readonly memory: number
}

export function addGuest(program: Command): void {
  const guest = program
    .command('guest')
    .description('what a WebAssembly module is, and whether a pair can protect it')
  addInspect(guest)
  addRewrite(guest)
  teach(guest, {
    when:
      'you wrote a guest, or were given one, and want to know what a pair would say to it. Both verbs only\n' +
      '  read the file: nothing is run, and no daemon is needed.',
    examples: [
      ['colo guest inspect guest.wasm', 'can it be protected, and how?'],
      ['colo guest rewrite guest.wasm out.wasm', 'the module that a pair would run'],
    ],
  })
}

const memoryOption = () =>
  new Option('--memory <size>', 'the most RAM that the guest will be given, as for `colo up`')
    .argParser(argument(parseSize))
    .default(MEMORY_BYTES, '64MiB')

function addInspect(guest: Command): void {
  const command = guest
    .command('inspect')
    .description('memory, globals, imports, exports, features, and what stands in the way')
    .argument('<file>', 'a WebAssembly module, or - for standard input')
    .addOption(memoryOption())
    .addOption(formatOption('json: everything, as one object'))
    .action((file: string, options: MemoryOption & FormatOptions) => inspect(file, options))
  teach(command, {
    when:
      'before `colo up --guest FILE`. A module is protected by a dirty log, which marks each page that is\n' +
      '  written and makes the pause short, or by a scan, which compares all of memory at each checkpoint. One\n' +
      '  whose state can not all be captured is not protected at all, and every reason is listed. Exit code 1\n' +
      '  says so to a script.',
    examples: [
      ['colo guest inspect guest.wasm', 'for people'],
      ['colo guest inspect guest.wasm --memory 1GiB -f json', 'for a script'],
    ],
  })
}

function addRewrite(guest: Command): void {
  const command = guest
    .command('rewrite')
    .description('write the module with a mark behind each store')
    .argument('<in>', 'a WebAssembly module, or - for standard input')
    .argument('<out>', 'the file to write, or - for standard output')
    .addOption(memoryOption())
    .action((input: string, output: string, options: MemoryOption) =>
      rewrite(input, output, options),
    )
  teach(command, {
    when:
      'to look at what the guest of a pair really runs, to measure what the marks cost it, or to use the\n' +
      '  dirty log in a host of your own (docs/dirty-log.md says how it finds the pages). A daemon rewrites\n' +
      '  its guest itself: give it the module as it is.',
    examples: [
      ['colo guest rewrite kv.wasm kv-log.wasm', 'rewrite'],
      ['colo guest rewrite kv.wasm - | wasm-objdump -d -', 'read the code'],
    ],
  })
}

/** `-` is standard input. Raises CliError, also if it is longer than an engine takes. */
function wholeFile(file: string): Uint8Array {
  const source = new FdSource(file)
  const pieces: Uint8Array[] = []
  try {
    for (let bytes = 0; ;) {
      const piece = new Uint8Array(PIECE_BYTES)
      const got = source.read(piece)
      if (got === 0) return Buffer.concat(pieces)
      pieces.push(piece.subarray(0, got))
      bytes += got
      if (bytes > MODULE_BYTES_MAX) {
        throw new CliError('broken', `${file}: no engine takes a module of more than 256 MiB`)
      }
    }
  } finally {
    source.close()
  }
}

/** @throws CliError if there is no such file or it is no module */
export function readModule(file: string): Uint8Array {
  const bytes = wholeFile(file)
  if (WebAssembly.validate(bytes)) return bytes
  throw new CliError(
    'broken',
    `${file}: no WebAssembly module that this engine (Node ${process.versions.node}) takes; ` +
      `compile it to a binary module, with features that this engine has${hintFor(bytes.subarray(0, KIND_BYTES), 'guest inspect')}`,
  )
}

function inspect(file: string, { memory, format }: MemoryOption & FormatOptions): void {
  const description = describeModule(readModule(file), memory)
  const text =
    format === 'json'
      ? JSON.stringify({ file, ...description }, undefined, 2)
      : describeText(file, description)
  process.stdout.write(plainText(`${text}\n`))
  if (description.protection === 'none') {
    throw new CliError(
      'broken',
      `${file} can't be protected, for ${count(description.reasons.length, 'reason')} listed above ` +
        '(docs/guests.md says what a guest must be)',
    )
  }
}

function rewrite(input: string, output: string, { memory }: MemoryOption): void {
  const result = addDirtyLog(readModule(input), memory)
  if (!isRewritten(result)) {
    const where = result.offset === undefined ? '' : `, at byte ${result.offset}`
    throw new CliError(
      'broken',
      `${input}: can't be rewritten (${result.refused}${where}); ` +
        'a pair protects such a module by a scan, if it can at all: colo guest inspect says',
    )
  }
  const file = new OutputFile(output, input === '-' ? undefined : statSync(input))
  try {
    file.write(result.bytes)
    file.finish()
  } catch (error) {
    file.discard()
    throw error
  }
  const { sites, tableBytes, code } = result
  sayAside(
    `${count(sites.stores + sites.bulk, 'write')} marked; guest memory begins at byte ${tableBytes}; ` +
      `code ${code.before} -> ${code.after} bytes\n`,
  )
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

function describeProtection({ protection, log, logRefused, reasons }: ModuleDescription): string[] {
  if (protection === 'none') return ['not protected', ...reasons.map((reason) => `  ${reason}`)]
  if (log === undefined) return [`scan: no dirty log, because of: ${logRefused}`]
  const { sites, code, tableBytes } = log
  return [
    `log: ${count(sites.stores, 'store')} and ${count(sites.bulk, 'bulk operation')} marked, ` +
      `${sites.loads} loads moved up, table of ${showBytes(tableBytes)}, ` +
      `code ${code.before} -> ${code.after} bytes`,
  ]
}

const named = (list: ModuleParts['imports']): string[] =>
  list.map(({ name, kind }) => `${kind} ${name}`)

function describeParts(parts: ModuleParts): [string, string[]][] {
  const memories = parts.memories.map(({ imported, bytesMin, bytesMax, shared }) => {
    const most = bytesMax === undefined ? 'no maximum' : `at most ${showBytes(bytesMax)}`
    const where = `${imported ? 'imported' : 'its own'}${shared ? ', shared' : ''}`
    return `${where}, ${showBytes(bytesMin)} at its start, ${most}`
  })
  const globals = parts.globals.map(({ type, mutable, imported, exported, hidden }, index) => {
    const name = imported ?? (exported.length > 0 ? exported.join(', ') : `number ${index}`)
    const kept = hidden === undefined ? '' : `, hidden: exported as ${hidden}`
    return `${mutable ? 'mutable' : 'constant'} ${type} ${name}${kept}`
  })
  return [
    ['memory', memories.length > 0 ? memories : ['none']],
    ['globals', globals],
    ['imports', named(parts.imports)],
    ['exports', named(parts.exports)],
    ['features', [parts.features.join(', ') || 'none beyond WebAssembly 1.0']],
    ...(parts.lost.length > 0 ? [['not kept', [...parts.lost]] as [string, string[]]] : []),
    ['code', [`${count(parts.functions, 'function')}, ${parts.codeBytes} bytes`]],
  ]
}

function describeAbi({ abi }: ModuleDescription): string[] {
  if (abi === undefined) return []
  if (abi.version !== undefined) return [`version ${abi.version}, by the ${abi.kind} colo_abi`]
  return [`told by the ${abi.kind} colo_abi when the guest starts: it is no plain constant`]
}

function describeText(file: string, description: ModuleDescription): string {
  const rows: [string, string[]][] = [
    ['module', [`${file}, ${description.bytes} bytes`]],
    ['protection', describeProtection(description)],
    ['contract', describeAbi(description)],
  ]
  if (description.parts !== undefined) rows.push(...describeParts(description.parts))
  const width = Math.max(...rows.map(([title]) => title.length))
  return rows
    .flatMap(([title, lines]) =>
      lines.map((line, i) => `${(i === 0 ? title : '').padEnd(width)}  ${line}`),
    )
    .join('\n')
}
