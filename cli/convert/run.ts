// Runs a conversion: FILE is read two or three times, since what it needs first stands at its end, so a pipe is
// kept in a temporary file on the way; OUT is written as it comes.

import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BerError } from '../../shared/formats/ber/ber-error.ts'
import { berToStream } from '../../shared/formats/ber/ber-to-stream.ts'
import type { ConversionReport } from '../../shared/formats/ber/conversion-report.ts'
import { GatheringSink } from '../../shared/formats/ber/gathering-sink.ts'
import { streamToBer } from '../../shared/formats/ber/stream-to-ber.ts'
import type { ByteSource } from '../../shared/formats/qemu/qemu-file.ts'
import { QemuStreamError } from '../../shared/formats/qemu/qemu-stream-error.ts'
import type { ConvertOptions } from '../convert.ts'
import { FdSource } from '../decode/fd-source.ts'
import { CliError, oneLine } from '../exit-codes.ts'
import { OutputFile } from './output-file.ts'
import { describeConversion, jsonOfConversion } from './report.ts'

const CHUNK_BYTES = 1024 * 1024

/** Raises CliError: `broken` for what is wrong in FILE, `usage` for the rest. */
export function convert(file: string, out: string, options: ConvertOptions): void {
  if (options.to === 'binary' && options.definite) {
    throw new CliError('usage', '--definite is for --to ber: leave it out')
  }
  withRereadable(file, (path) => {
    const output = new OutputFile(out, path)
    try {
      const report = run(path, output, options)
      output.close()
      tell(report, path, output.bytes, out, options)
    } catch (error) {
      output.discard()
      throw explained(error, file, path, options)
    }
  })
}

function run(path: string, output: OutputFile, options: ConvertOptions): ConversionReport {
  const sources: FdSource[] = []
  const open = (): ByteSource => {
    const source = new FdSource(path)
    sources.push(source)
    return source
  }
  const gathering = new GatheringSink(output)
  try {
    const { to, definite = false, pageSize } = options
    const page = pageSize === undefined ? {} : { pageBytes: pageSize }
    const report =
      to === 'binary'
        ? berToStream(open, gathering, page)
        : streamToBer(open, gathering, { definite, ...page })
    gathering.flush()
    return report
  } finally {
    for (const source of sources) source.close()
  }
}

function tell(
  report: ConversionReport,
  path: string,
  bytes: number,
  out: string,
  { to, definite = false, format }: ConvertOptions,
): void {
  const done = { to, definite, from: statSync(path).size, bytes, report }
  if (format === 'text') process.stderr.write(describeConversion(done))
  else if (out === '-') process.stderr.write(`${jsonOfConversion(done)}\n`)
  else process.stdout.write(`${jsonOfConversion(done)}\n`)
}

/** Calls `use` with a file that can be read again and again: what is none is kept in a temporary one. */
function withRereadable(file: string, use: (path: string) => void): void {
  if (file !== '-' && isPlainFile(file)) {
    use(file)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'colo-convert-'))
  try {
    const path = join(folder, 'input')
    keep(file, path)
    use(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function isPlainFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch (error) {
    throw new CliError('usage', oneLine(error), { cause: error })
  }
}

function keep(file: string, path: string): void {
  const source = new FdSource(file)
  const fd = openSync(path, 'w', 0o600)
  const chunk = new Uint8Array(CHUNK_BYTES)
  for (let got = source.read(chunk); got > 0; got = source.read(chunk)) {
    for (let at = 0; at < got;) at += writeSync(fd, chunk, at, got - at)
  }
  closeSync(fd)
  source.close()
}

/** The same error for people: with the file's name, and the way out where it was the other kind of file. */
function explained(error: unknown, file: string, path: string, { to }: ConvertOptions): unknown {
  if (!(error instanceof BerError) && !(error instanceof QemuStreamError)) return error
  const is = kindOf(path)
  const hint = is === to ? `; it is ${to} already: --to ${to === 'ber' ? 'binary' : 'ber'}?` : ''
  return new CliError('broken', `${file}: ${error.message}${hint}`, { cause: error })
}

/** What a file is by its first bytes: QEVM, or the tag of QemuFile. */
function kindOf(path: string): 'ber' | 'binary' | undefined {
  const fd = openSync(path, 'r')
  const first = new Uint8Array(4)
  readSync(fd, first)
  closeSync(fd)
  const text = String.fromCharCode(...first)
  if (text === 'QEVM') return 'binary'
  return text.startsWith('\u007f\u00d1\u0046') ? 'ber' : undefined
}
