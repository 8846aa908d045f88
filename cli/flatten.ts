// `colo flatten`: a forward recording, made into what Xen's own verify-stream-v2 reads. The recording is read
// twice, since where its last whole checkpoint ends is known only at its end; what comes through a pipe is kept
// in a temporary file for the second reading. Memory stays bounded whatever its length.

import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Flattener, type Flattened } from '../shared/formats/flatten.ts'
import { StreamError } from '../shared/formats/stream-error.ts'
import { StreamReader } from '../shared/formats/stream-reader.ts'
import { CliError, oneLine } from './exit-codes.ts'
import type { Verb } from './verb-table.ts'

const CHUNK_BYTES = 256 * 1024
const STDOUT = 1

export const flattenVerb: Verb = {
  name: 'flatten',
  description: "turn a forward recording into what Xen's verify-stream-v2 reads",
  operands: [
    { name: 'in', words: 'a *.forward file of --record, or - for standard input' },
    { name: 'out', words: 'the file to write, or - for standard output' },
  ],
  options: {},
  lesson: {
    when:
      "to have a session judged by somebody else's code. Each checkpoint becomes an image of its own; the\n" +
      '  stream is cut at the last whole checkpoint. EMULATOR_XENSTORE_DATA is left out, because the\n' +
      '  verifier refuses every payload of it.',
    examples: [
      ['colo up --record rec --for 5s', 'record'],
      ['colo flatten rec/a-g1-s1.forward flat', 'flatten'],
      ['verify-stream-v2 -f libxl -i flat', "Xen's verdict"],
    ],
  },
  async run([input = '', output = '']) {
    const told = await flatten(input, output)
    process.stderr.write(`${describeFlattened(told)}\n`)
  },
}

export function describeFlattened({
  checkpoints,
  droppedXenstore,
  droppedBytes,
}: Flattened): string {
  return (
    `${checkpoints} checkpoints; ${droppedXenstore} EMULATOR_XENSTORE_DATA records left out; ` +
    `${droppedBytes} bytes behind the last whole checkpoint cut`
  )
}

async function flatten(input: string, output: string): Promise<Flattened> {
  const folder = input === '-' ? mkdtempSync(join(tmpdir(), 'colo-flatten-')) : undefined
  try {
    const source = folder === undefined ? input : join(folder, 'recording')
    const endBytes = await findEnd(input, source)
    return await write(source, output, endBytes)
  } catch (error) {
    if (error instanceof StreamError) {
      throw new CliError('broken', `${input}: ${error.message}`, { cause: error })
    }
    if (error instanceof CliError) throw error
    throw new CliError('usage', oneLine(error), { cause: error })
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true })
  }
}

async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield chunk as Uint8Array
}

/** The first reading. Standard input is kept in `source` on the way. */
async function findEnd(input: string, source: string): Promise<number> {
  const reader = new StreamReader(
    { record: () => {}, pageData: () => {}, pageBytes: () => {} },
    { form: 'libxl' },
  )
  const keep = input === '-' ? openSync(source, 'w', 0o600) : undefined
  const stream =
    input === '-' ? process.stdin : createReadStream(input, { highWaterMark: CHUNK_BYTES })
  for await (const chunk of chunksOf(stream)) {
    if (keep !== undefined) writeAll(keep, chunk)
    reader.push(chunk)
  }
  if (keep !== undefined) closeSync(keep)
  if (reader.checkpointEndBytes === 0) {
    throw new CliError('broken', `${input}: there is no whole checkpoint in it (${reader.state})`)
  }
  return reader.checkpointEndBytes
}

async function write(source: string, output: string, endBytes: number): Promise<Flattened> {
  const target = output === '-' ? STDOUT : openSync(output, 'w')
  const flattener = new Flattener((bytes) => writeAll(target, bytes), { endBytes })
  const stream = createReadStream(source, { highWaterMark: CHUNK_BYTES })
  for await (const chunk of chunksOf(stream)) flattener.push(chunk)
  const told = flattener.finish()
  if (target !== STDOUT) closeSync(target)
  return told
}

function writeAll(target: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(target, bytes, at)
    } catch (error) {
      // A pipe that does not block says so when it is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}
